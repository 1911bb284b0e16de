"""The JSON log line and the metrics of each review, never with the pod's environment."""

from functools import cache, partial
from typing import Any, Final

from prometheus_client import Counter

from webhook.core import record
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.names import LABEL_LENGTH, NAME_LENGTH
from webhook.core.verdict import Verdict
from webhook.process.log import JsonFormatter, Log, Logs
from webhook.server.admission.error_boundary import AdviceReport, ReviewObserver, Skipped
from webhook.server.metrics import Metrics
from webhook.server.reload import Logger

_RELOADS: Final = {
    "reloaded": "ok",
    "reload_refused": "refused",
    "refused_at_start": "refused",
    "certificate_loaded": "ok",
    "certificate_refused": "refused",
}
_LEVELS: Final = {
    **dict.fromkeys(("refused_at_start", "reload_refused", "certificate_refused"), "error"),
    **dict.fromkeys(("doubtful", "not_kept", "change_refused"), "warning"),
}
_ADVISE: Final = "advise"  # as a third side, where times are measured
_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})


def logging_config() -> dict[str, Any]:
    """Settings for `logging.config.dictConfig`: everything else as JSON lines too, on stderr."""
    handler = {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
    loud = {"level": "INFO", "handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": handler},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": loud, "gunicorn.access": loud | {"level": "CRITICAL"}},
    }


def create_logger(log: Log, metrics: Metrics, what: str) -> Logger:
    """Return what writes the events of one part, such as `policy`, and counts its reloads."""

    def told(event: str, /, **fields: object) -> None:
        log.write(_LEVELS.get(event, "info"), event, {**fields, "of": what})
        if event in _RELOADS:
            metrics.reloads.labels(what, _RELOADS[event]).inc()

    return told


def create_observer(logs: Logs, metrics: Metrics) -> ReviewObserver:
    """Return what writes a line and counts, for each review and for each failure."""
    counters, durations = cache(partial(_counters, metrics)), cache(metrics.seconds.labels)

    def reviewed(request: AdmissionRequest, verdict: Verdict, seconds: float) -> None:
        for counter in counters(*_labels(request, verdict)):
            counter.inc()
        durations(request.side).observe(seconds)
        line = record.to_log_line(request, verdict.short_record)
        logs.audit.write("info", "review", line | _latency(seconds))

    def failed(status: str, text: str) -> None:
        logs.process.warning("not a review", status=status, message=text)
        metrics.failed_requests.labels(status[:3]).inc()

    def advised(about: AdviceReport, seconds: float) -> None:
        logs.audit.write("info", "advice", _advice(about) | _latency(seconds))
        metrics.advice.labels(about.request.mode.value, about.advice.outcome.value).inc()
        durations(_ADVISE).observe(seconds)

    def skipped(why: Skipped) -> None:
        metrics.skipped.labels(why.value).inc()

    return ReviewObserver(reviewed, failed, advised, skipped)


def _latency(seconds: float) -> dict[str, object]:
    return {"latency_ms": int(seconds * 1e6) / 1000}


_Labels = tuple[str, str, str, str, str, str, bool, bool, bool]


def _labels(request: AdmissionRequest, verdict: Verdict) -> _Labels:
    return (
        request.side,
        request.operation if request.operation in _OPERATIONS else "other",
        verdict.workload or "none",
        verdict.strategy or "none",
        verdict.reason.code,
        request.mode,
        verdict.would_allow,
        _gave(request, verdict),
        not (verdict.would_allow or request.dry_run),
    )


def _counters(metrics: Metrics, *labels: *_Labels) -> tuple[Counter, ...]:
    """The counters of a review, which are kept: a look-up by labels takes longer."""
    side, operation, workload, strategy, reason, mode, allowed, gave, refused = labels
    known = side, operation, workload, strategy, reason, mode, str(allowed).lower()
    pods = (metrics.pods.labels(workload, strategy, mode),) if gave else ()
    refusals = (metrics.refusals.labels(reason, workload, side, mode),) if refused else ()
    return (metrics.reviews.labels(*known), *pods, *refusals)


def _gave(request: AdmissionRequest, verdict: Verdict) -> bool:
    """Whether a pod got GPUs by this answer, so that each is counted once.

    | side | operation | dry run | mode | counted |
    |---|---|---|---|---|
    | mutate | CREATE | no | enforce | with a patch |
    | mutate | CREATE | no | audit | with something to give |
    | any other | | | | no |

    A pod that is sent again, since another webhook changed it, has no patch any more.
    """
    created = (request.side, request.operation) == (Side.MUTATE, "CREATE")
    if request.dry_run or not created:
        return False
    return bool(verdict.allocations if request.mode is Mode.AUDIT else verdict.patch)


def _advice(about: AdviceReport) -> dict[str, object]:
    request, advice = about.request, about.advice
    return {
        "uid": request.uid[:LABEL_LENGTH],
        "operation": request.operation[:LABEL_LENGTH],
        "namespace": request.namespace[:LABEL_LENGTH],
        "kind": about.kind[:LABEL_LENGTH],
        "name": about.name[:NAME_LENGTH],
        "user": request.user[:NAME_LENGTH],
        "outcome": advice.outcome,
        "warnings": len(advice.warnings),
        "reasons": [each.code for each in advice.reasons],
        "mode": request.mode,
        "dryRun": request.dry_run,
    }
