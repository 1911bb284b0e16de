"""What a review path answers: a body and whom to tell of it, or a failure; reads no request."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from webhook.core.admit import Verdict
from webhook.core.advice import Advice
from webhook.core.api.admission import AdmissionRequest


@dataclass(frozen=True, slots=True)
class Advised:
    """An object whose pods were foreseen, and what was told; `name` may be one to be generated."""

    request: AdmissionRequest
    kind: str
    name: str
    advice: Advice


@dataclass(frozen=True, slots=True)
class Trail:
    """Who is told, once the answer is sent.

    `reviewed` and `advised` get each review with the seconds that it took, `failed` the status
    and text of each answer that is no AdmissionReview.
    """

    reviewed: Callable[[AdmissionRequest, Verdict, float], None]
    failed: Callable[[str, str], None]
    advised: Callable[[Advised, float], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an AdmissionReview; `tell` is called with the seconds once it is sent."""

    body: bytes
    tell: Callable[[Trail, float], None]


class Failure(Exception):  # noqa: N818 - an answer, as `Answer` is
    """An answer that is no AdmissionReview: what the sender did wrong, or we."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@contextmanager
def named(uid: str) -> Iterator[None]:
    """Have anything unforeseen end in a failure that names the review."""
    try:
        yield
    except Exception:
        logging.getLogger(__name__).exception("review failed", extra={"uid": uid})
        text = f"review {uid} failed; the log of the webhook has the cause"
        raise Failure("500 Internal Server Error", text) from None
