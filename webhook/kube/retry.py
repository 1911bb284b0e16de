"""How long to wait after a failed request."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from webhook.kube.errors import ApiError

LONGEST_ASKED = 300.0  # seconds of Retry-After that we believe: more would be a mistake of a proxy
DOUBLINGS = 16  # more of them change nothing and would overflow a float one day


class Backoff(Struct, frozen=True):
    """The bounds of a growing wait, in seconds."""

    first: float = 1.0
    most: float = 10.0


def delay(failure: ApiError, attempt: int, *, chance: float, backoff: Backoff) -> float:
    """Return the seconds to wait after `failure`.

    `attempt` counts the failures in a row before this one; `chance` is in [0, 1).

    failure                    wait
    410, the first in a row    none: what we knew is too old, and a new list is the cure
    429 and 5xx                grows, and at least Retry-After
    anything else              grows: first, 2 * first, ... most; of that between half and all
    """
    if failure.status == HTTPStatus.GONE and attempt == 0:
        return 0.0
    ceiling = min(backoff.most, backoff.first * 2.0 ** min(attempt, DOUBLINGS))
    # Half is fixed so that no chance makes a hot loop; half is drawn so that replicas spread out.
    grown = ceiling * (0.5 + chance / 2)
    return max(grown, min(_asked(failure), LONGEST_ASKED))


def _asked(failure: ApiError) -> float:
    busy = failure.status is not None and (
        failure.status == HTTPStatus.TOO_MANY_REQUESTS
        or failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return failure.retry_after if busy and failure.retry_after is not None else 0.0
