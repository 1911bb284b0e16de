"""What the keeper shows of itself: metrics, and a liveness answer on the same small port."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, Counter, Gauge, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from certs import pki
from certs.reasons import Problem, Reason
from certs.state import Phase, State, phase

_STOP_SECONDS: Final = 0.1  # how often the serving thread looks whether it should end


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing: a probe every few seconds is no news."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The collectors, and the registry that serves them."""

    registry: CollectorRegistry
    not_after: Gauge
    phase: Gauge
    problem: Gauge
    last_look: Gauge
    changes: Counter


def create_metrics() -> Metrics:
    """Return fresh collectors in a registry of their own."""
    registry = CollectorRegistry()
    metrics = Metrics(
        registry=registry,
        not_after=Gauge(
            "gpu_sharing_certs_not_after_seconds",
            "When a certificate ends (Unix time): `ca`, or the `leaf` of the authority.",
            ("certificate",),
            registry=registry,
        ),
        phase=Gauge(
            "gpu_sharing_certs_phase",
            "1 for the phase in which the rotation is.",
            ("phase",),
            registry=registry,
        ),
        problem=Gauge(
            "gpu_sharing_certs_problem",
            "1 for each reason that the last look could not mend.",
            ("reason",),
            registry=registry,
        ),
        last_look=Gauge(
            "gpu_sharing_certs_last_look_seconds",
            "When the cluster was last seen whole and mended as far as possible (Unix time).",
            registry=registry,
        ),
        changes=Counter(
            "gpu_sharing_certs_changes",
            "What was changed in the cluster, by the reason.",
            ("reason",),
            registry=registry,
        ),
    )
    show_problems(metrics, ())
    return metrics


def show_state(metrics: Metrics, state: State, now: datetime) -> None:
    """Show what a look ended with."""
    for name, pem in (("ca", state.ca.cert), ("leaf", state.leaf.cert)):
        cert = pki.read_cert(pem)
        metrics.not_after.labels(name).set(cert.not_valid_after_utc.timestamp() if cert else 0)
    for each in Phase:
        metrics.phase.labels(each.value).set(each is phase(state))
    metrics.last_look.set(now.timestamp())


def show_problems(metrics: Metrics, problems: Iterable[Problem]) -> None:
    """Show which reasons are in the way now."""
    present = {problem.reason for problem in problems}
    for reason in Reason:
        metrics.problem.labels(reason.value).set(reason in present)


def create_app(registry: CollectorRegistry, alive: Callable[[], bool]) -> WSGIApplication:
    """Answer /healthz by whether the loop turns; metrics at any other path."""
    metrics_app = make_wsgi_app(registry)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            body: Iterable[bytes] = metrics_app(environ, start_response)
            return body
        status = HTTPStatus.OK if alive() else HTTPStatus.SERVICE_UNAVAILABLE
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain")])
        return [b"ok\n" if alive() else b"the loop has not turned for too long\n"]

    return app


@contextmanager
def serving(address: tuple[str, int], app: WSGIApplication) -> Iterator[int]:
    """Serve on a thread until the block ends; yields the port, which 0 lets the system choose.

    Raises:
        OSError: the address cannot be bound.
    """
    host, port = address
    server = make_server(host, port, app, ThreadingWSGIServer, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(_STOP_SECONDS,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
