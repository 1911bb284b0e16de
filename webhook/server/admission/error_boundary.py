"""The answer of a review path: a body with its report, or an error."""

import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from webhook.core.advice import Advice
from webhook.core.api.admission import AdmissionRequest, Mode
from webhook.core.verdict import Verdict

UNAVAILABLE: Final = "503 Service Unavailable"  # the failurePolicy decides


class Skipped(StrEnum):
    """Why a review was answered without being looked at.

    Only a metric tells of it.

    other_mode: the namespace is not of the mode of the path, so the API server does not ask that.
    busy: advice took its share of the time.
    """

    OTHER_MODE = "other_mode"
    BUSY = "busy"


class AdviceReport(Struct, frozen=True):
    """The advice on one object, whose `name` may be one to be generated."""

    request: AdmissionRequest
    kind: str
    name: str
    advice: Advice


class ReviewObserver(Struct, frozen=True):
    """Who learns of each review once its answer is sent.

    `reviewed` and `advised` get each review with the seconds that it took, `skipped` why one was
    answered without being looked at, `failed` the status and text of each answer that is no
    AdmissionReview.
    """

    reviewed: Callable[[AdmissionRequest, Verdict, float], None]
    failed: Callable[[str, str], None]
    advised: Callable[[AdviceReport, float], None]
    skipped: Callable[[Skipped], None]


class ReviewAnswer(Struct, frozen=True):
    """The body of an AdmissionReview.

    `report` is called with the seconds once it is sent.
    """

    body: bytes
    report: Callable[[ReviewObserver, float], None]


class PendingReview(Struct, frozen=True):
    """A decoded review without the labels of its namespace.

    `namespace` is empty where it needs none, `modes` are those of namespaces that may ask it.
    """

    uid: str
    namespace: str
    modes: tuple[Mode, ...]
    answer: Callable[[Mapping[str, str]], ReviewAnswer]


class ReviewError(Exception):
    """An answer that is no AdmissionReview, for a mistake of the sender or of ours."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


class ErrorBoundary:
    """Turns anything unforeseen into a ReviewError that names the review.

    It is around each decision, where contextlib's generators took 2 % of a review.
    """

    __slots__ = ("_uid",)

    def __init__(self, uid: str) -> None:
        self._uid = uid

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Log what was raised, and raise what the sender is told."""
        if isinstance(error, Exception):
            uid = self._uid
            logging.getLogger(__name__).exception("review failed", extra={"uid": uid})
            text = f"review {uid} failed; the log of the webhook has the cause"
            raise ReviewError("500 Internal Server Error", text) from None
