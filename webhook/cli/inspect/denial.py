"""What an API server says of a pod that it did not take -> who refused it and what is wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from webhook.core.api.reason import PAGE, Reason, split_link
from webhook.core.checks.registry import REASONS


class By(StrEnum):
    """Who refused."""

    WEBHOOK = "webhook"
    BACKSTOP = "backstop"
    NO_ANSWER = "no answer"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong; `code` is None where it is none of our reasons."""

    code: Reason | None
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, with everything that it says is wrong; `page` explains the reasons."""

    by: By
    wrongs: tuple[Wrong, ...]
    page: str = PAGE

    @property
    def ours(self) -> bool:
        """Whether this project refused the pod, or could not be asked."""
        return self.by is not By.OTHERS


_WEBHOOK: Final = re.compile(
    r'admission webhook "(?:mutate|validate)\.gpu-sharing\.io" denied the request: (.*)', re.DOTALL
)
_POLICY: Final = re.compile(
    r"ValidatingAdmissionPolicy '\S+-backstop' with binding '\S+' denied request: (.*)", re.DOTALL
)
_SILENT: Final = re.compile(
    r'(failed calling webhook "(?:mutate|validate)\.gpu-sharing\.io".*)', re.DOTALL
)
_FORMS: Final = ((By.WEBHOOK, _WEBHOOK), (By.BACKSTOP, _POLICY), (By.NO_ANSWER, _SILENT))
_CODE: Final = re.compile(r"\[([a-z_]+)\](?:; |$)")


def read(message: str) -> Refusal:
    """Return who refused and why.

    | the message has | who |
    |---|---|
    | admission webhook "mutate.gpu-sharing.io", or "validate.…" denied | the webhook |
    | ValidatingAdmissionPolicy '…-backstop' denied | the backstop |
    | failed calling webhook "mutate.gpu-sharing.io", or "validate.…" | nobody: it was not there |
    | anything else | somebody else: a quota, pod security, another webhook |
    """
    text, page = split_link(message)
    for by, form in _FORMS:
        found = form.search(text)
        if found:
            return Refusal(by, tuple(wrongs(found[1])), page or PAGE)
    return Refusal(By.OTHERS, (Wrong(None, message.strip()),))


def wrongs(text: str) -> Iterator[Wrong]:
    """Take a message apart: each violation ends with its code in brackets, `; ` parts them."""
    start = 0
    for found in _CODE.finditer(text):
        if found[1] in REASONS:
            yield Wrong(REASONS[found[1]], text[start : found.start()].strip())
            start = found.end()
    rest = text[start:].strip()
    if rest:
        yield Wrong(None, rest)
