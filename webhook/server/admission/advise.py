"""The path /advise: warnings of what becomes of a workload's pods.

It always allows the object.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from webhook.core import advice
from webhook.core.advice import Advice
from webhook.core.api import limits
from webhook.core.api.admission import AdmissionRequest, Side
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.simulate import mode_of
from webhook.server.admission import decode, encode
from webhook.server.admission.decode import ReviewRequest, Route
from webhook.server.admission.error_boundary import (
    AdviceReport,
    ErrorBoundary,
    ReviewAnswer,
    Skipped,
)
from webhook.server.state import Labels

PATH: Final = "/advise"
_LARGEST: Final = 512 * 1024  # bytes of an object; real ones have tens of kilobytes
_TOO_LARGE: Final = Advice(
    warnings=("this object is too large: which GPUs its pods get was not reviewed",)
)


_BUSY: Final = ("the webhook is busy: which GPUs the pods of this object get was not reviewed",)


class AdviceContext(Struct, frozen=True):
    """What advice is given by.

    `page` explains the reasons to people, empty for none.
    """

    policy: Policy
    inventory: Inventory
    page: str


def read_subject(asked: ReviewRequest) -> Mapping[str, Any] | None:
    """Return the object that makes pods, or None where there is nothing to advise on.

    Raises:
        BadReview: it is no JSON object.
    """
    if asked.operation not in ("CREATE", "UPDATE") or _is_too_large(asked):
        return None
    return decode.decode_object(asked)


def answer_advice(
    asked: ReviewRequest,
    subject: Mapping[str, Any] | None,
    labels: Labels,
    context: AdviceContext,
) -> ReviewAnswer:
    """Answer a review of an object of any kind.

    | request | answer, always allowed |
    |---|---|
    | CREATE or UPDATE of an object | the warnings of `core.advice` |
    | the same, too large | one warning |
    | another operation, or no object | no warning |

    Raises:
        ReviewError: anything unforeseen.
    """
    request = decode.to_request(asked, Route(Side.MUTATE, mode_of(labels)), labels)
    with ErrorBoundary(asked.uid):
        found = _TOO_LARGE if _is_too_large(asked) else Advice()
        if subject is not None:
            found = advice.advise(request, subject, context.policy, context.inventory)
        report = AdviceReport(request, asked.kind.kind, _name(request, subject or {}), found)
        body = encode.warn(asked.uid, _texts(found, context.page))
    return ReviewAnswer(body, lambda observer, seconds: observer.advised(report, seconds))


def no_advice(asked: ReviewRequest) -> ReviewAnswer:
    """Answer a review of an object that is not looked at."""
    body = encode.warn(asked.uid, _BUSY)
    return ReviewAnswer(body, lambda observer, _: observer.skipped(Skipped.BUSY))


def _is_too_large(asked: ReviewRequest) -> bool:
    return len(asked.object) > _LARGEST or not limits.is_decoded(asked.object)


def _texts(found: Advice, page: str) -> tuple[str, ...]:
    """The warnings, and where the first reason of them is explained."""
    return (*found.warnings, *(encode.see(found.reasons[0], page) if found.reasons else ()))


def _name(request: AdmissionRequest, subject: Mapping[str, Any]) -> str:
    """The object's name, which at CREATE may still have to be generated."""
    metadata = subject.get("metadata")
    generated = metadata.get("generateName") if isinstance(metadata, Mapping) else None
    return request.name or (generated if isinstance(generated, str) else "")
