"""The path /policy: the ConfigMap of the policy is refused while its text is wrong."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from webhook.server.admission import decode, encode
from webhook.server.admission.budget import TimeBudget
from webhook.server.admission.error_boundary import UNAVAILABLE, ErrorBoundary, ReviewError

PATH: Final = "/policy"
KEY: Final = "policy.yaml"

PolicyJudge = Callable[[str], Iterable[str]]
"""Returns what is doubtful in the text of a policy; raises ValueError for what is wrong."""


async def answer_policy(body: bytes, judge: PolicyJudge, budget: TimeBudget) -> bytes:
    """Answer a review of the ConfigMap.

    The text is read in a thread, since a large one takes a second, and for a tenth of the time.

    | the text under KEY | answer |
    |---|---|
    | as it was before | allowed, else nobody could label a ConfigMap that is wrong already |
    | missing, or wrong | refused with line, path and what to write |
    | right | allowed, with a warning for each doubtful part |

    Raises:
        BadReview: no AdmissionReview, or its object is no JSON object.
        ReviewError: anything unforeseen, or the time for policies is spent.
    """
    asked = decode.decode_review(body)
    text, before = _text(decode.decode_object(asked)), _text(decode.decode_old_object(asked))
    if text == before:
        return encode.warn(asked.uid, ())
    if text is None:
        return encode.refuse(asked.uid, f"data: expected the policy under the key {KEY}")
    if not budget.is_left():
        raise ReviewError(UNAVAILABLE, "policies have taken their share of the time; try again")
    with ErrorBoundary(asked.uid), budget.spend():
        try:
            return encode.warn(asked.uid, tuple(await asyncio.to_thread(judge, text)))
        except ValueError as error:
            return encode.refuse(asked.uid, f"{KEY}: {error}")


def _text(subject: dict[str, Any] | None) -> str | None:
    data = (subject or {}).get("data")
    found = data.get(KEY) if isinstance(data, dict) else None
    return found if isinstance(found, str) else None
