"""The gunicorn process: one worker that serves a WSGI callable over TLS; builds nothing of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication

from gunicorn.app.base import BaseApplication

from webhook.server import audit_log
from webhook.server.http.connections import Limits
from webhook.server.http.worker import InlineWorker
from webhook.server.tls import Certificate

GRACEFUL_TIMEOUT = 20  # seconds from SIGTERM to the end; the preStop hook drains before


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve. `start` runs in the worker, after the fork: it may start threads.

    `tick` is called once a second in the worker's loop.
    """

    bind: str
    certificate: Certificate
    start: Callable[[], WSGIApplication]
    tick: Callable[[], None]
    limits: Limits = field(default_factory=Limits)


class Process(BaseApplication):
    """One worker a process: threads of a Python process take turns, so pods scale, not workers.

    `certificate`, `limits` and `tick` are read by InlineWorker.
    """

    def __init__(self, serving: Serving) -> None:
        self.certificate = serving.certificate
        self.limits = serving.limits
        self.tick = serving.tick
        self._serving = serving
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up; its own command line and files are not read."""
        settings: dict[str, Any] = {
            "bind": [self._serving.bind],
            # Only so that gunicorn says https in its log: the worker serves what it was given.
            "certfile": str(self.certificate.cert),
            "keyfile": str(self.certificate.key),
            "worker_class": InlineWorker,
            "workers": 1,
            "graceful_timeout": GRACEFUL_TIMEOUT,
            "timeout": 30,
            "backlog": 1024,
            "control_socket_disable": True,
            "proc_name": "gpu-sharing",
            "logconfig_dict": audit_log.logging_config(),
        }
        for key, value in settings.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> WSGIApplication:  # type: ignore[override]  # its stub also has ASGI
        """Return the callable; gunicorn calls this in the worker."""
        return self._serving.start()
