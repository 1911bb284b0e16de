"""Who refused a pod, and what is wrong with it.

The API server's own words are only searched for the name of our webhook. What the webhook found
wrong comes from the causes that it sent along, or is shown as one text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from webhook.core import record
from webhook.core.checks.registry import CHECKS
from webhook.core.decision import safety
from webhook.core.record_values import Cause

_SIDES: Final = ("mutate.gpu-sharing.io", "validate.gpu-sharing.io")
_DENIED: Final = tuple(f'admission webhook "{name}" denied the request: ' for name in _SIDES)
_SILENT: Final = tuple(f'failed calling webhook "{name}"' for name in _SIDES)
_BACKSTOP: Final = "-backstop' with binding '"
_BACKSTOP_DENIED: Final = " denied request: "
_POD: Final = re.compile(
    r"^(\(combined from similar events\): )?(Error creating: )?(pods \"[^\"]+\" is forbidden: )?"
)
"""What differs between the pods of a controller that are refused alike."""


class By(StrEnum):
    """Who refused."""

    words: str

    def __new__(cls, value: str, words: str) -> Self:
        """Make a member of its value, and how a sentence goes on with it."""
        made = str.__new__(cls, value)
        made._value_, made.words = value, words
        return made

    WEBHOOK = "webhook", "by the webhook"
    BACKSTOP = "backstop", "by the backstop, a policy in the API server"
    NO_ANSWER = "no answer", "since the webhook does not answer"
    OTHERS = "others", "by something else than GPU sharing"


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal: by whom, in which words, and each thing that is wrong."""

    by: By
    text: str
    causes: tuple[Cause, ...]

    @property
    def known(self) -> bool:
        """Whether it is known what is wrong, and not only the words."""
        return any(each.reason for each in self.causes)

    @property
    def ours(self) -> bool:
        """Whether this project refused the pod, or could not be asked."""
        return self.by is not By.OTHERS


def read_denial(message: str, causes: Iterable[object] = ()) -> Denial:
    """Return who refused and why. `causes` are those of the Status, where there is one.

    | the message has | who |
    |---|---|
    | admission webhook "mutate.gpu-sharing.io", or "validate.…" denied | the webhook |
    | ValidatingAdmissionPolicy '…-backstop' denied | the backstop |
    | failed calling webhook "mutate.gpu-sharing.io", or "validate.…" | nobody: it was not there |
    | anything else | somebody else: a quota, pod security, another webhook |
    """
    for mark in _DENIED:
        _, found, text = message.partition(mark)
        if found:
            return Denial(By.WEBHOOK, text, record.from_status_causes(causes) or _whole(text))
    _, found, rest = message.partition(_BACKSTOP)
    text = rest.partition(_BACKSTOP_DENIED)[2]
    if found and text:
        return Denial(By.BACKSTOP, text, (Cause(reason=BACKSTOP.get(text, ""), message=text),))
    for mark in _SILENT:
        _, found, rest = message.partition(mark)
        if found:
            return Denial(By.NO_ANSWER, found + rest, _whole(found + rest))
    text = _POD.sub("", message.strip())
    return Denial(By.OTHERS, text, _whole(text))


def _whole(text: str) -> tuple[Cause, ...]:
    """A text that is shown as it is."""
    return (Cause(message=text.strip()),)


_CHECKED: Final = {each.reason: each.backstop.message for each in CHECKS}
BACKSTOP: Final[Mapping[str, str]] = {
    f"{text} [{reason}]": reason.code for reason, text in (safety.BACKSTOP | _CHECKED).items()
}
"""The texts of the backstop, and their codes."""
