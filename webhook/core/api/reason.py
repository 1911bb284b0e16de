"""A reason: its code for logs and metrics, its sentence and its page for people."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

SHOWN_WHOLE: Final = 120
"""Characters of a warning that kubectl shows whole."""
COMMAND: Final = "kubectl gpu-sharing reasons"
"""What explains them, unless a cluster names the address of its copy of docs/reasons.md."""


class Group(StrEnum):
    """The sections of the page on reasons, in its order."""

    ALLOWED = "Allowed"
    TOLD = "Told in a warning"
    WRITTEN = "Refused: what is written is wrong"
    WORKLOAD = "Refused: the workload may not"
    CLUSTER = "Refused: the cluster cannot"
    UNSAFE = "Refused: the pod is not safe as it stands"
    WAY_AROUND = "Refused, or warned of: a way around"


class Reason(Struct, frozen=True, eq=False):
    """Why a pod was allowed as it is, changed, or refused.

    Each exists once, as a constant.
    """

    code: str
    group: Group
    sentence: str
    example: str
    to_do: str = "nothing."
    detail: str = ""

    def __str__(self) -> str:
        """Return the code."""
        return self.code

    @property
    def meaning(self) -> str:
        """The paragraph of the page."""
        return f"{self.sentence} {self.detail}".strip()


def printable(text: str, besides: str = "") -> str:
    """Return a text without what a terminal would obey, or what turns its writing around."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in besides else "\ufffd" for each in text)


def link(reason: Reason, page: str = COMMAND) -> str:
    """Return the command, or the URL, that explains a reason."""
    return f"{page}{'#' if '://' in page else ' '}{reason}"


def with_link(message: str, reason: Reason, page: str = COMMAND) -> str:
    """Return a message that ends with where to read more."""
    return f"{message} - see {link(reason, page)}"


def truncate(text: str, reason: Reason, longest: int = SHOWN_WHOLE) -> str:
    """Return the text cut to a length, with its reason code at the end."""
    code = f"... [{reason}]"
    return text if len(text) <= longest else text[: longest - len(code)] + code
