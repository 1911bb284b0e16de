"""The thread that keeps the items of one source: list, watch, retry; what to do is in `watch`."""

from __future__ import annotations

import threading
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from webhook.kube.debounce import Settler
from webhook.kube.errors import ApiError
from webhook.kube.list_watch import Driver
from webhook.kube.retry import delay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from webhook.kube.clock import Runtime
    from webhook.kube.connection import Connection, Lines
    from webhook.kube.list_watch import Heard, Source

T = TypeVar("T")

JOIN_SECONDS = 5.0  # a thread that hangs longer is a daemon, and the process may end anyway


class Watcher(Generic[T]):
    """Lists, then watches, for ever; from another thread it publishes what it knows.

    `publish` gets a read-only mapping by name (None: exists, does not matter): soon after every
    change, and again each `pace.tick` seconds, then the same object if nothing changed.
    """

    def __init__(
        self,
        connection: Connection,
        source: Source[T],
        *,
        publish: Callable[[Mapping[str, T | None]], None],
        runtime: Runtime,
    ) -> None:
        self._connection = connection
        self._source = source
        self._publish = publish
        self._runtime = runtime
        self._driver = Driver(source, watch_seconds=runtime.pace.watch)
        self._lock = threading.Lock()  # guards the driver's items, the snapshot and the stream
        self._snapshot: Mapping[str, T | None] | None = None
        self._changed = False
        self._lines: Lines | None = None
        self._attempt = 0
        self._stop = threading.Event()
        self._settler = Settler(source.name, self._settled, runtime)
        self._thread = threading.Thread(target=self._run, name=f"watch-{source.name}", daemon=True)
        self.seen = False
        self.last_contact = runtime.now()
        self.trouble = ""

    @property
    def name(self) -> str:
        """The resource, as RBAC spells it."""
        return self._source.name

    def problem(self) -> str:
        """Return what is wrong at the moment, for people; nothing if all is well."""
        waiting = "" if self.seen else "not listed yet"
        return ", ".join(filter(None, (waiting, self.trouble)))

    def start(self) -> None:
        """Start both threads; once in a life."""
        self.last_contact = self._runtime.now()
        self._settler.start()
        self._thread.start()

    def stop(self) -> None:
        """End both threads, also out of a blocked read, and wait for that (at most 10 s)."""
        self._stop.set()
        with self._lock:
            if self._lines is not None:
                self._lines.cut()
        self._settler.stop(within=JOIN_SECONDS)
        if self._thread.ident is not None:
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._driver.watching:
                    self._watch()
                else:
                    self._list()
            except ApiError as failure:
                self._rest(failure)
            except Exception as error:  # a thread that dies would leave a stale world, silently
                self._driver.relist()
                self._rest(ApiError(None, f"unexpected: {error!r}"))

    def _list(self) -> None:
        request = self._driver.list_request()
        limit = self._runtime.pace.list
        body = self._connection.get(request.path, request.params, timeout=limit)
        with self._lock:
            heard = self._driver.listed(body)
            self._changed = self._changed or heard.changed or self._driver.watching
        self._took(heard)
        if self._driver.watching:
            self.seen = True
            self._settler.mark()
            self._runtime.told("listed", resource=self.name, items=len(self._driver.items))

    def _watch(self) -> None:
        request, pace = self._driver.watch_request(), self._runtime.pace
        silence = pace.watch + pace.margin
        lines = self._connection.stream(request.path, request.params, timeout=silence)
        opened = self._runtime.now()
        try:
            self._follow(lines)
        finally:
            healthy = self._runtime.now() - opened >= pace.healthy
            self._attempt = 0 if healthy else self._attempt
        if not healthy:
            raise ApiError(None, f"the watch ended within {pace.healthy} s")
        self._contact()

    def _follow(self, lines: Lines) -> None:
        with self._lock:
            self._lines = lines
        try:
            self._contact()
            # Asked after the stream is known to `stop`: else a stop between the two would wait.
            if not self._stop.is_set():
                for line in lines:
                    self._hear(line)
        finally:
            with self._lock:
                self._lines = None
            lines.close()

    def _hear(self, line: bytes) -> None:
        with self._lock:
            heard = self._driver.event(line)
            self._changed = self._changed or heard.changed
        self._took(heard)

    def _took(self, heard: Heard) -> None:
        self._contact()
        if heard.changed:
            self._settler.mark()
        for reason in heard.skipped:
            self._runtime.told("object skipped", resource=self.name, reason=reason)

    def _contact(self) -> None:
        self.last_contact = self._runtime.now()
        if self.trouble:
            self.trouble = ""
            self._runtime.told("reached again", resource=self.name)

    def _rest(self, failure: ApiError) -> None:
        """Remember and tell a failure, and wait as long as the policy says."""
        if self._stop.is_set():
            return  # the failure is our own cut
        runtime = self._runtime
        wait = delay(failure, self._attempt, chance=runtime.chance(), backoff=runtime.pace.backoff)
        self._attempt += 1
        self._driver.failed(failure)
        right = f"{self.name}: list,watch"
        self.trouble = str(failure)
        if failure.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            self.trouble = f"the right {right} is missing: {failure}"
            runtime.told("right missing", right=right, error=str(failure), retry_in=wait)
        else:
            runtime.told("watch failed", resource=self.name, error=str(failure), retry_in=wait)
        runtime.pause(self._stop, wait)

    def _settled(self) -> None:
        """Publish a snapshot; a new one only if something changed since the last."""
        if not self.seen:
            return
        with self._lock:
            if self._changed:
                self._snapshot = MappingProxyType(dict(self._driver.items))
                self._changed = False
            snapshot = self._snapshot
        if snapshot is not None:
            self._publish(snapshot)
