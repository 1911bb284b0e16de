"""The gunicorn process: one worker that serves an application over TLS."""

from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from msgspec import Struct, field

from webhook.server import audit_log
from webhook.server.http.connections import ServerLimits
from webhook.server.http.worker import Application, AsyncWorker, ignore_signals
from webhook.server.tls import ServingCertificate

GRACEFUL_TIMEOUT = 20  # seconds from SIGTERM to the end; the preStop hook drains before


class Serving(Struct, frozen=True):
    """What to serve. `start` is called in the worker, after the fork."""

    bind: str
    certificate: ServingCertificate
    start: Callable[[], Application]
    limits: ServerLimits = field(default_factory=ServerLimits)


class Process(BaseApplication):
    """One worker a process, so that pods scale, not workers.

    `certificate` and `limits` are read by AsyncWorker.
    """

    def __init__(self, serving: Serving) -> None:
        self.certificate = serving.certificate
        self.limits = serving.limits
        self._serving = serving
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up.

        Its own command line and files are not read.
        """
        settings: dict[str, Any] = {
            "bind": [self._serving.bind],
            # Only so that gunicorn says https in its log: the worker serves what it was given.
            "certfile": str(self.certificate.cert),
            "keyfile": str(self.certificate.key),
            "worker_class": AsyncWorker,
            "when_ready": ignore_signals,
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

    def load(self) -> Application:  # type: ignore[override]  # its stub has WSGI and ASGI
        """Return the application when gunicorn calls this in the worker."""
        return self._serving.start()
