"""A section of the status: for tools, for people, and what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webhook.cli.cluster.client import Forbidden, Permission, Unavailable
from webhook.cli.manifests import InputError
from webhook.cli.text import Paragraph


@dataclass(frozen=True, slots=True)
class Section:
    """`unseen` says why it cannot be seen. `wrong` and `notes` are sentences for people."""

    key: str
    title: str
    data: Any = None
    shown: tuple[Paragraph | str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unseen: str = ""
    missing: tuple[Permission, ...] = ()


def section_of(key: str, title: str, look: Callable[[], Section]) -> Section:
    """Return a section. What is in the way of it becomes the section, so that others are seen."""
    try:
        return look()
    except Forbidden as forbidden:
        return Section(key, title, unseen=str(forbidden), missing=(forbidden.permission,))
    except (Unavailable, InputError) as error:
        return Section(key, title, unseen=str(error))
