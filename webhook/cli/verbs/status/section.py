"""A section of the status: for tools, for people, and what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from webhook.cli.cluster.client import Forbidden, Permission, Unavailable
from webhook.cli.manifests import InputError
from webhook.cli.text import Paragraph


@dataclass(frozen=True, slots=True)
class Section:
    """`unseen` says why it cannot be seen. `wrong` and `notes` are sentences for people."""

    data: Any = None
    shown: tuple[Paragraph | str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unseen: str = ""
    missing: tuple[Permission, ...] = ()
    title: str = ""


def section_of(
    title: str,
    look: Callable[[], Section],
    hidden: tuple[type[Exception], ...] = (Unavailable, InputError),
) -> Section:
    """Return a section. What is in the way of it becomes the section, so that others are seen."""
    try:
        return replace(look(), title=title)
    except hidden as error:
        missing = (error.permission,) if isinstance(error, Forbidden) else ()
        return Section(unseen=str(error), missing=missing, title=title)
