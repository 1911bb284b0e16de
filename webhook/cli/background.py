"""What `serve` does in a live cluster beside answering: events, and the look for undecided pods.

Both have threads of their own; no answer waits for them.
"""

import atexit
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from structlog.typing import FilteringBoundLogger as Log

from webhook.cli.state_source import Live
from webhook.core import event
from webhook.core.admit import Verdict
from webhook.core.api.admission import AdmissionRequest
from webhook.core.event import Event
from webhook.kube.clock import Runtime
from webhook.kube.events.recorder import Events, Manners, Reporter, Result
from webhook.kube.unreviewed import Rhythm, UndecidedPods
from webhook.server import audit_log
from webhook.server import metrics as metric
from webhook.server.admission.error_boundary import Trail
from webhook.server.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the two to do."""

    events: bool
    undecided: bool


def start(live: Live | None, chosen: Wanted, log: Log, metrics: Metrics) -> Trail:
    """Start what is wanted, after the fork; return who is told of each review."""
    told = audit_log.create_trail(log, metrics)
    if live is not None and chosen.undecided:
        _count_undecided(live, Runtime(audit_log.create_told(log, metrics, "undecided")), metrics)
    if live is not None and chosen.events:
        events = _events(live, Runtime(audit_log.create_told(log, metrics, "events")), metrics)
        return telling(told, events.offer)
    return told


def telling(told: Trail, offer: Callable[[Event], None]) -> Trail:
    """Return a trail that also offers the event of each review that deserves one."""

    def reviewed(request: AdmissionRequest, verdict: Verdict, seconds: float) -> None:
        told.reviewed(request, verdict, seconds)
        found = event.of(request, verdict)
        if found is not None:
            offer(found)

    return replace(told, reviewed=reviewed)


def _events(live: Live, runtime: Runtime, metrics: Metrics) -> Events:
    def counted(result: Result, number: int) -> None:
        metrics.events.labels(result.value).inc(number)

    reporter = Reporter(socket.gethostname(), counted)
    events = Events(live.connection, reporter, runtime=runtime, manners=Manners())
    events.start()
    atexit.register(events.stop)  # in the worker, after its last answer
    return events


def _count_undecided(live: Live, runtime: Runtime, metrics: Metrics) -> None:
    pods = UndecidedPods(live.connection, live.enforced, runtime=runtime, rhythm=Rhythm())
    pods.start()
    metric.publish(metrics, "gpu_sharing_undecided_look_seconds", lambda: pods.looked)
    metric.publish_by_namespace(metrics, "gpu_sharing_undecided_pods", lambda: pods.counts)
