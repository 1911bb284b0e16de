"""A part of the status: for tools, for people, and what is wrong; looks at nothing itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from webhook.cli.cluster.client import Lacking, Right, Unavailable


@dataclass(frozen=True, slots=True)
class Part:
    """`unseen` says why it cannot be seen; `wrong` and `notes` are sentences for people."""

    key: str
    title: str
    data: Any = None
    shown: tuple[RenderableType, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unseen: str = ""
    missing: tuple[Right, ...] = ()


def looked(key: str, title: str, look: Callable[[], Part]) -> Part:
    """Look at a part; what is in the way of that becomes the part, so that the others are seen."""
    try:
        return look()
    except Lacking as lacking:
        return Part(key, title, unseen=str(lacking), missing=(lacking.right,))
    except Unavailable as error:
        return Part(key, title, unseen=str(error))
