"""A reason: its code for logs and metrics, its sentence and its page for people."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHOWN_WHOLE: Final = 120
"""Characters of a warning that kubectl shows whole."""
PAGE: Final = "https://github.com/gpu-sharing/gpu-sharing/blob/main/docs/reasons.md"
"""The page that explains them; a cluster without internet names a copy of its own."""


class Group(StrEnum):
    """The sections of the page on reasons, in its order."""

    ALLOWED = "Allowed"
    WRITTEN = "Refused: what is written is wrong"
    WORKLOAD = "Refused: the workload may not"
    CLUSTER = "Refused: the cluster cannot"
    UNSAFE = "Refused: the pod is not safe as it stands"
    WAY_AROUND = "Refused, or warned of: a way around"


@dataclass(frozen=True, slots=True, eq=False)
class Reason:
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


def link(reason: Reason, page: str = PAGE) -> str:
    """Return the URL at which a reason is explained."""
    return f"{page}#{reason}"


def with_link(message: str, reason: Reason, page: str = PAGE) -> str:
    """Return a message that ends with where to read more."""
    return f"{message} - see {link(reason, page)}"


def truncate(text: str, reason: Reason, longest: int = SHOWN_WHOLE) -> str:
    """Return the text cut to a length, with its reason code at the end."""
    code = f"... [{reason}]"
    return text if len(text) <= longest else text[: longest - len(code)] + code
