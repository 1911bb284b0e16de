"""The loop: a reconciliation every interval."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from certs.failure_policy import FailurePolicies
from certs.reasons import CertReason, Problem
from certs.reconciler import Reconciler, WallClock
from certs.reporter import Reporter
from webhook.kube.errors import ApiError

# One that loses every race to a slow server: 3 times 7 requests and 4 for the failurePolicy,
# of 15 s each, are 375 s.
HUNG_SECONDS: Final = 600.0


class Loop:
    """Reconciles, reports and waits."""

    def __init__(
        self,
        reconciler: Reconciler,
        policies: FailurePolicies,
        reporter: Reporter,
        clock: WallClock,
    ) -> None:
        self._reconciler, self._policies = reconciler, policies
        self._reporter, self._clock = reporter, clock
        self._due = time.monotonic() + HUNG_SECONDS

    async def run(self, wait: Callable[[float], Awaitable[bool]], interval: timedelta) -> None:
        """Reconcile until `wait`, which gets the seconds to wait, returns true."""
        seconds = interval.total_seconds()
        while True:
            await self.reconcile_once()
            self._due = time.monotonic() + seconds + HUNG_SECONDS
            if await wait(seconds):
                return

    async def reconcile_once(self) -> bool:
        """Return whether all is in place. It never raises: the next one may mend it."""
        problems, steady = await self._reconcile()
        self._reporter.report_problems(problems)
        if steady and not problems:
            self._reporter.report_steady()
        return not problems

    def alive(self) -> bool:
        """Whether the loop goes on, however it ends: an API server's outage is not ours."""
        return time.monotonic() < self._due

    async def _reconcile(self) -> tuple[tuple[Problem, ...], bool]:
        """Return what is in the way, and whether nothing had to be changed."""
        try:
            done = await self._reconciler.reconcile(self._clock)
            problems = (*done.problems, *await self._policies.reconcile(done))
        except ApiError as error:
            reason = CertReason.RACED if error.conflict else CertReason.API_FAILED
            return (Problem(reason, "reconciliation", str(error)),), False
        except Exception as error:  # a loop that ends mends nothing any more
            self._reporter.report_unforeseen()
            text = f"{type(error).__name__}: {error}"
            return (Problem(CertReason.UNFORESEEN, "reconciliation", text),), False
        self._reporter.report_authority(done.authority, done.now)
        return problems, done.steady
