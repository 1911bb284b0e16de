"""What `serve` does beside answering: events, and a count of unreviewed pods."""

import socket
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from webhook.cli.state_source import Job, LiveCluster
from webhook.core import event
from webhook.core.api.admission import AdmissionRequest
from webhook.core.event import Event
from webhook.core.verdict import Verdict
from webhook.kube.clock import Runtime
from webhook.kube.events.recorder import EventRecorder, EventReporter, EventResult, RecorderLimits
from webhook.kube.unreviewed import CountIntervals, UnreviewedPods
from webhook.process.log import Logs
from webhook.server import audit_log
from webhook.server import metrics as metric
from webhook.server.admission.error_boundary import ReviewObserver
from webhook.server.metrics import Metrics


class Switches(Struct, frozen=True):
    """Which of the two to do."""

    events: bool
    unreviewed: bool


class Background(Struct, frozen=True):
    """Who learns of each review, and the jobs that run beside the answers."""

    observer: ReviewObserver
    jobs: tuple[Job, ...] = ()


def create_background(
    live: LiveCluster | None, switches: Switches, logs: Logs, metrics: Metrics
) -> Background:
    """Return what is switched on and possible."""
    observer = audit_log.create_observer(logs, metrics)
    jobs: list[Job] = []
    if live is not None and switches.unreviewed:
        runtime = Runtime(audit_log.create_logger(logs.process, metrics, "unreviewed"))
        jobs.append(_unreviewed_pods(live, runtime, metrics).run)
    if live is not None and switches.events:
        runtime = Runtime(audit_log.create_logger(logs.process, metrics, "events"))
        recorder = _event_recorder(live, runtime, metrics)
        jobs.append(recorder.run)
        observer = with_events(observer, recorder.offer)
    return Background(observer, tuple(jobs))


def with_events(observer: ReviewObserver, offer: Callable[[Event], None]) -> ReviewObserver:
    """Return an observer that also offers the event of each review that deserves one."""

    def reviewed(request: AdmissionRequest, verdict: Verdict, seconds: float) -> None:
        observer.reviewed(request, verdict, seconds)
        found = event.of(request, verdict)
        if found is not None:
            offer(found)

    return replace(observer, reviewed=reviewed)


def _event_recorder(live: LiveCluster, runtime: Runtime, metrics: Metrics) -> EventRecorder:
    def count(result: EventResult, number: int) -> None:
        metrics.events.labels(result.value).inc(number)

    source = EventReporter(socket.gethostname(), count)
    return EventRecorder(live.client, source, runtime=runtime, limits=RecorderLimits())


def _unreviewed_pods(live: LiveCluster, runtime: Runtime, metrics: Metrics) -> UnreviewedPods:
    pods = UnreviewedPods(live.client, live.enforced, runtime=runtime, intervals=CountIntervals())
    metric.publish(metrics, "gpu_sharing_unreviewed_look_seconds", lambda: pods.counted_at)
    metric.publish_by_namespace(metrics, "gpu_sharing_unreviewed_pods", lambda: pods.counts)
    return pods
