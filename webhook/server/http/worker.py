"""A gunicorn worker: one process whose loop serves all connections and background tasks."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvloop
from gunicorn.workers.base import Worker
from msgspec import Struct

from webhook.server.http.connections import Connections, ServerLimits
from webhook.server.http.listener import Listener
from webhook.server.http.loop_errors import tell_error
from webhook.server.http.messages import Handler

if TYPE_CHECKING:
    from webhook.server.tls import ServingCertificate

DRAIN_FILE = "GPU_SHARING_DRAIN_FILE"  # the variable that names the file a preStop hook creates

IGNORED = (signal.SIGHUP, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU)
"""By these gunicorn would start one more worker, which finds the port of metrics taken."""

LOOK = 0.25  # seconds between two looks at the clock, for the time-outs of connections
BEAT = 1.0  # seconds between two looks at all else: the parent, the files
HANDSHAKE = 0.2  # seconds a client gets, at the end of listening, to become a connection
SWITCH = 0.0005  # seconds that a thread computes before the loop, which answers, has its turn
LAST_WORK = 3.0  # seconds that background work gets to end


async def do_nothing() -> None:
    """Do no background work."""


class Application(Struct, frozen=True):
    """What a worker runs: `background` runs beside the answers until it is cancelled."""

    handler: Handler
    background: Callable[[], Coroutine[None, None, None]] = do_nothing


class AsyncWorker(Worker):
    """Serves HTTP/1.1 over TLS without threads: a silent client costs memory, never a turn.

    The gunicorn application returns an Application from `load`, and may have `certificate` (else
    plain HTTP) and `limits`. SIGTERM retires connections within `graceful_timeout` seconds: the
    worker listens on for `linger`, as the API server does not call again.
    """

    def init_process(self) -> None:
        """Make the loop before gunicorn registers the signals with it."""
        self._loop = uvloop.new_event_loop()
        self._loop.set_exception_handler(tell_error)
        asyncio.set_event_loop(self._loop)
        sys.setswitchinterval(SWITCH)
        self._wake = asyncio.Event()
        self._quick = False
        self._next_beat = 0.0
        super().init_process()

    def init_signals(self) -> None:
        """Let the loop handle the signals of gunicorn's arbiter."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        ignore_signals(self)
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
        """Serve until a signal. The application is loaded and has all it will have."""
        drain_file = os.environ.get(DRAIN_FILE)
        self._drain_file = Path(drain_file) if drain_file else None
        self._limits: ServerLimits = getattr(self.app, "limits", None) or ServerLimits()
        self._certificate: ServingCertificate | None = getattr(self.app, "certificate", None)
        gc.freeze()  # else every look for garbage goes through all that start-up made
        allow_open_files(2 * (self._limits.max_connections + self._limits.max_arrivals))
        try:
            self._loop.run_until_complete(self._serve())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
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
        application = cast("Application", self.wsgi)
        connections = Connections(application.handler, self._limits, self.log)
        background = asyncio.create_task(application.background())
        background.add_done_callback(self._stop_after_failure)
        # gunicorn wraps each listening socket.
        sockets = cast("Any", self.sockets)
        context = self._certificate.front if self._certificate else None
        listeners = [Listener(each.sock, context, connections) for each in sockets]
        while self.alive:
            await self._turn(connections)
        await self._retire(connections, listeners)
        await end_tasks(background)

    def _stop_after_failure(self, background: asyncio.Task[None]) -> None:
        """Let gunicorn start a new worker where background work failed: none may grow stale."""
        if not background.cancelled() and (error := background.exception()) is not None:
            self.log.error("background work failed: stopping", exc_info=error)
            self.alive = False
            self._wake.set()

    async def _retire(self, connections: Connections, listeners: list[Listener]) -> None:
        """Answer new requests for the linger, then finish those under way.

        It takes at most the time-out.
        """
        now = self._loop.time()
        connections.stop(now)
        last = now + self.cfg.graceful_timeout
        await self._turns_until(min(now + self._limits.linger, last), connections)
        for listener in listeners:
            listener.close()
        await self._turns_until(min(self._loop.time() + HANDSHAKE, last), connections)
        while connections.open and not self._quick and self._loop.time() < last:
            await self._turn(connections)
        connections.abort()
        await asyncio.sleep(0)

    async def _turns_until(self, end: float, connections: Connections) -> None:
        while not self._quick and self._loop.time() < end:
            await self._turn(connections)

    async def _turn(self, connections: Connections) -> None:
        """Look after connections, once a second after all else, and wait a moment."""
        now = self._loop.time()
        connections.sweep(now)
        if now >= self._next_beat:
            self._next_beat = now + BEAT
            self._beat(connections)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                await self._wake.wait()
        self._wake.clear()

    def _beat(self, connections: Connections) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.log.info("the parent of %s is gone: stopping", self)
            self.alive = False
        drain = self._drain_file is not None and self._drain_file.exists()
        connections.draining = connections.stopping or drain
        if self._certificate is not None:
            self._certificate.refresh(time.time())


def ignore_signals(_: object) -> None:
    """Ignore what gunicorn reloads by: all files are read again when they change."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)


async def end_tasks(background: asyncio.Task[None]) -> None:
    """Cancel background work, then every other task, and let each end as it wants.

    A group of tasks cancels its own. Cancelled with them, not first, it would do so a second time,
    and a task that is cancelled twice loses what it still has to send.
    """
    background.cancel()
    await asyncio.wait({background}, timeout=LAST_WORK)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=LAST_WORK)


def allow_open_files(wanted: int) -> None:
    """Raise the soft limit of open files as far as the hard one lets.

    It is often 1024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
