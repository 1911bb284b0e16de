"""A gunicorn worker: one process, one loop, the WSGI application called in line; knows no HTTP."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvloop
from gunicorn.workers.base import Worker

from webhook.server.http.connections import Limits, Service
from webhook.server.http.environ import base_environ
from webhook.server.http.protocol import Connection

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from webhook.server.tls import Certificate

DRAIN_FILE = "GPU_SHARING_DRAIN_FILE"  # the variable that names the file a preStop hook creates

LOOK = 0.25  # seconds between two looks at the clock, for the time-outs of connections
BEAT = 1.0  # seconds between two looks at all else: the parent, the files
HANDSHAKE = 0.2  # seconds a client gets, at the end of listening, to become a connection


class InlineWorker(Worker):
    """Serves HTTP/1.1 over TLS without threads: a silent client costs memory, never a turn.

    The gunicorn application may have `certificate` (else plain HTTP), `limits`, and `tick`, which
    is called once a second. SIGTERM retires connections within `graceful_timeout` seconds:
    the worker listens on for `Limits.linger`, as the API server does not call again.
    """

    def init_process(self) -> None:
        """Make the loop before gunicorn registers the signals with it."""
        self._loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._wake = asyncio.Event()
        self._quick = False
        self._next_beat = 0.0
        super().init_process()

    def init_signals(self) -> None:
        """Let the loop handle the signals of gunicorn's arbiter."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        handlers: dict[int, Callable[[], None]] = {
            signal.SIGTERM: self._on_term,
            signal.SIGQUIT: self._on_quit,
            signal.SIGINT: self._on_quit,
            signal.SIGABRT: self._on_abort,
            signal.SIGUSR1: self.log.reopen_files,
            signal.SIGWINCH: lambda: self.log.debug("worker: SIGWINCH ignored."),
        }
        for number, handler in handlers.items():
            self._loop.add_signal_handler(number, handler)

    def run(self) -> None:
        """Serve until told to stop; the application is loaded and has all it will have."""
        drain_file = os.environ.get(DRAIN_FILE)
        self._drain_file = Path(drain_file) if drain_file else None
        self._limits: Limits = getattr(self.app, "limits", None) or Limits()
        self._certificate: Certificate | None = getattr(self.app, "certificate", None)
        self._chores = every_second(self.app)
        allow_open_files(2 * self._limits.max_connections)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def _on_term(self) -> None:
        self.alive = False
        self._wake.set()

    def _on_quit(self) -> None:
        self._quick = True
        self._on_term()
        self.cfg.worker_int(self)

    def _on_abort(self) -> None:
        self.alive = False
        self.cfg.worker_abort(self)
        sys.exit(1)

    async def _serve(self) -> None:
        service = Service(cast("WSGIApplication", self.wsgi), self._limits, self.log)
        # gunicorn wraps each listening socket.
        servers = [await self._listen(service, each.sock) for each in cast("Any", self.sockets)]
        while self.alive:
            await self._turn(service)
        await self._retire(service, servers)

    async def _listen(self, service: Service, sock: socket.socket) -> asyncio.AbstractServer:
        limits = self._limits
        context = self._certificate.front if self._certificate else None
        base = base_environ("https" if context else "http")
        return await self._loop.create_server(
            lambda: Connection(service, base),
            sock=sock,
            backlog=self.cfg.backlog,
            ssl=context,
            ssl_handshake_timeout=limits.handshake_timeout if context else None,
            ssl_shutdown_timeout=limits.body_timeout if context else None,
        )

    async def _retire(self, service: Service, servers: list[asyncio.AbstractServer]) -> None:
        """Answer what comes for the linger, then what is under way, at most until the time-out."""
        now = self._loop.time()
        service.stop(now)
        last = now + self.cfg.graceful_timeout
        await self._turns_until(min(now + self._limits.linger, last), service)
        for server in servers:
            server.close()
        await self._turns_until(min(self._loop.time() + HANDSHAKE, last), service)
        while service.connections and not self._quick and self._loop.time() < last:
            await self._turn(service)
        service.abort()
        await asyncio.sleep(0)

    async def _turns_until(self, end: float, service: Service) -> None:
        while not self._quick and self._loop.time() < end:
            await self._turn(service)

    async def _turn(self, service: Service) -> None:
        """Look after connections, once a second after all else, and wait for time or a signal."""
        now = self._loop.time()
        service.sweep(now)
        if now >= self._next_beat:
            self._next_beat = now + BEAT
            self._beat(service)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                await self._wake.wait()
        self._wake.clear()

    def _beat(self, service: Service) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.log.info("the parent of %s is gone: stopping", self)
            self.alive = False
        drain = self._drain_file is not None and self._drain_file.exists()
        service.draining = service.stopping or drain
        for chore in self._chores:
            try:
                chore()
            except Exception:
                self.log.exception("a task of every second failed")


def every_second(app: object) -> list[Callable[[], object]]:
    """List what a gunicorn application wants done once a second."""
    chores: list[Callable[[], object]] = []
    certificate: Certificate | None = getattr(app, "certificate", None)
    if certificate is not None:
        chores.append(lambda: certificate.refresh(time.time()))
    tick: Callable[[], object] | None = getattr(app, "tick", None)
    if tick is not None:
        chores.append(tick)
    return chores


def allow_open_files(wanted: int) -> None:
    """Raise the soft limit of open files, as far as the hard one lets; 1024 is a common one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
