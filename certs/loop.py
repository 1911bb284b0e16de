"""The loop: a look every interval until it is told to stop; tells of what changed and why."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from certs import status
from certs.client import ApiError, ConflictError
from certs.flip import Flipper
from certs.keeper import Clock, Keeper, Told
from certs.reasons import SENTENCES, Problem, Reason
from certs.status import Metrics

# A look that loses every race to a slow server: 3 times 7 requests and 4 for the failurePolicy,
# of 15 s each, are 375 s.
HUNG_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Voice:
    """How the loop is heard: news, what is in the way, that all is steady; and its metrics."""

    told: Told
    warned: Told
    steady: Told
    metrics: Metrics


class Loop:
    """Looks, tells, waits."""

    def __init__(self, keeper: Keeper, flipper: Flipper, voice: Voice, clock: Clock) -> None:
        self._keeper, self._flipper, self._voice, self._clock = keeper, flipper, voice, clock
        self._problems: tuple[Problem, ...] = ()
        self._turn_due = time.monotonic() + HUNG_SECONDS

    def run(self, wait: Callable[[float], bool], interval: timedelta) -> None:
        """Look until `wait`, which gets the seconds to wait, returns true."""
        seconds = interval.total_seconds()
        while True:
            self.turn()
            self._turn_due = time.monotonic() + seconds + HUNG_SECONDS
            if wait(seconds):
                return

    def turn(self) -> bool:
        """Look once; returns whether all is in place. Never raises: the next look may mend it."""
        problems, steady = self._look()
        self._tell_problems(problems)
        status.show_problems(self._voice.metrics, problems)
        if steady and not problems:
            self._voice.steady("steady")
        return not problems

    def alive(self) -> bool:
        """Whether the loop turns, however its looks end: an API server's outage is not ours."""
        return time.monotonic() < self._turn_due

    def _look(self) -> tuple[tuple[Problem, ...], bool]:
        """Return what is in the way, and whether nothing had to be changed."""
        try:
            outcome = self._keeper.look(self._clock)
            problems = (*outcome.problems, *self._flipper.look(outcome))
        except ConflictError as error:
            return (Problem(Reason.RACED, "look", str(error)),), False
        except ApiError as error:
            return (Problem(Reason.API_FAILED, "look", str(error)),), False
        except Exception as error:  # a loop that ends mends nothing any more
            self._voice.warned("unforeseen error", exc_info=True)
            text = f"{type(error).__name__}: {error}"
            return (Problem(Reason.UNFORESEEN, "look", text),), False
        status.show_state(self._voice.metrics, outcome.state, outcome.now)
        return problems, outcome.steady

    def _tell_problems(self, problems: tuple[Problem, ...]) -> None:
        """Tell each problem once while it lasts, and that it is gone."""
        for each in problems:
            if each not in self._problems:
                self._tell(self._voice.warned, "problem", each)
        for each in self._problems:
            if each not in problems:
                self._tell(self._voice.told, "problem gone", each)
        self._problems = problems

    def _tell(self, heard: Told, event: str, each: Problem) -> None:
        reason, subject, detail = each.reason, each.subject, each.detail
        heard(event, reason=reason.value, why=SENTENCES[reason], subject=subject, detail=detail)
