"""What the process shows of itself: its log and its metrics."""

import traceback
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from certs import pki
from certs.authority import Authority, RotationPhase
from certs.reasons import CertReason, Problem
from webhook.process.log import Log


class Reporter:
    """Writes the log, and sets the metrics of its `registry`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._problems: tuple[Problem, ...] = ()
        self.registry = CollectorRegistry()
        gauge = partial(Gauge, registry=self.registry)
        self._not_after = gauge(
            "gpu_sharing_certs_not_after_seconds",
            "When a certificate expires (Unix time): `ca`, or the `leaf` of the authority.",
            ("certificate",),
        )
        self._phase = gauge(
            "gpu_sharing_certs_phase", "1 for the phase in which the rotation is.", ("phase",)
        )
        self._problem = gauge(
            "gpu_sharing_certs_problem",
            "1 for each reason that the last reconciliation could not mend.",
            ("reason",),
        )
        self._last = gauge(
            "gpu_sharing_certs_last_look_seconds",
            "When the cluster was last seen whole and mended as far as possible (Unix time).",
        )
        self._changes = Counter(
            "gpu_sharing_certs_changes",
            "What was changed in the cluster, by the reason.",
            ("reason",),
            registry=self.registry,
        )
        self._show_problems(())

    def report_change(self, event: str, reason: CertReason, **fields: object) -> None:
        """Report that something was changed, and why."""
        self._changes.labels(reason.code).inc()
        self._log.info(event, reason=reason.code, why=reason.value, **fields)

    def report_authority(self, authority: Authority, now: datetime) -> None:
        """Show the authority with which a reconciliation ended."""
        for name, pair in (("ca", authority.ca), ("leaf", authority.leaf)):
            cert = pki.read_cert(pair.cert)
            end = cert.not_valid_after_utc.timestamp() if cert else 0
            self._not_after.labels(name).set(end)
        for each in RotationPhase:
            self._phase.labels(each.value).set(each is authority.phase)
        self._last.set(now.timestamp())

    def report_problems(self, problems: tuple[Problem, ...]) -> None:
        """Report each problem once while it lasts, and that it is gone."""
        for each in problems:
            if each not in self._problems:
                self._log.warning("problem", **_fields(each))
        for each in self._problems:
            if each not in problems:
                self._log.info("problem gone", **_fields(each))
        self._problems = problems
        self._show_problems(problems)

    def report_steady(self) -> None:
        """Report that everything was in place."""
        self._log.debug("steady")

    def report_unforeseen(self) -> None:
        """Report the error that is being handled, with its traceback."""
        self._log.warning("unforeseen error", exception=traceback.format_exc())

    def _show_problems(self, problems: Iterable[Problem]) -> None:
        present = {problem.reason for problem in problems}
        for reason in CertReason:
            self._problem.labels(reason.code).set(reason in present)


def _fields(problem: Problem) -> dict[str, str]:
    reason = problem.reason
    return {
        "reason": reason.code,
        "why": reason.value,
        "subject": problem.subject,
        "detail": problem.detail,
    }
