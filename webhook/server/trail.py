"""What is told of each review: one JSON log line and the metrics; never the pod's environment."""

import sys
from typing import Any, BinaryIO, Final

import msgspec
import structlog

from webhook.core.admit import Verdict
from webhook.core.model import Request
from webhook.server.metrics import Metrics
from webhook.server.reload import Told
from webhook.server.review import moves
from webhook.server.reviews import Trail

_RELOADS: Final = {
    "reloaded": "ok",
    "reload_refused": "refused",
    "certificate_loaded": "ok",
    "certificate_refused": "refused",
}
_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})


def create_log(stream: BinaryIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that writes one JSON object a line, with the time in UTC."""
    log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stdout.buffer),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("INFO"),
        cache_logger_on_first_use=True,
    )
    return log


def logging_config() -> dict[str, Any]:
    """Settings for `logging.config.dictConfig`: everything else as JSON lines too, on stderr."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    }
    handler = {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
    loud = {"level": "INFO", "handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": handler},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": loud, "gunicorn.access": loud | {"level": "CRITICAL"}},
    }


def _to_json(event: object, **_: object) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


def create_told(log: structlog.typing.FilteringBoundLogger, metrics: Metrics, what: str) -> Told:
    """Return what writes the events of one part, such as `policy`, and counts its reloads."""

    def told(event: str, /, **fields: object) -> None:
        log.info(event, of=what, **fields)
        if event in _RELOADS:
            metrics.reloads.labels(what, _RELOADS[event]).inc()

    return told


def create_trail(log: structlog.typing.FilteringBoundLogger, metrics: Metrics) -> Trail:
    """Return what writes a line and counts, for each review and for each failure."""

    def reviewed(request: Request, verdict: Verdict, seconds: float) -> None:
        log.info("review", **_facts(request, verdict), latency_ms=round(seconds * 1000, 3))
        operation = request.operation if request.operation in _OPERATIONS else "other"
        metrics.reviews.labels(
            request.side.value,
            operation,
            verdict.workload.value if verdict.workload else "none",
            verdict.strategy or "none",
            verdict.reason.value,
            request.mode.value,
            "true" if verdict.would_allow else "false",
        ).inc()
        metrics.seconds.labels(request.side.value).observe(seconds)

    def failed(status: str, text: str) -> None:
        log.warning("not a review", status=status, message=text)
        metrics.failures.labels(status[:3]).inc()

    return Trail(reviewed, failed)


def _facts(request: Request, verdict: Verdict) -> dict[str, object]:
    asked, given = moves(verdict)
    kind, name = _whose(request)
    return {
        "uid": request.uid,
        "side": request.side,
        "operation": request.operation,
        "namespace": request.namespace,
        "owner_kind": kind,
        "owner": name,
        "user": request.user,
        "workload": verdict.workload,
        "tenant": verdict.tenant,
        "from": asked,
        "to": given,
        "strategy": verdict.strategy,
        "allowed": verdict.would_allow,
        "reason": verdict.reason,
        "message": None if verdict.would_allow else verdict.message,
        "mode": request.mode,
        "dryRun": request.dry_run,
    }


def _whose(request: Request) -> tuple[str, str]:
    """The controller that made the pod, or the pod itself; at CREATE it may have no name yet."""
    metadata = request.pod.metadata if request.pod else None
    owners = (metadata.owner_references if metadata else None) or ()
    for owner in owners:
        if owner.controller:
            return owner.kind, owner.name
    generated = (metadata.generate_name if metadata else None) or ""
    return "Pod", request.name or (metadata.name if metadata else None) or generated
