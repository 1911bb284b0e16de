"""The thread that looks for pods which nobody decided; which those are is `core.undecided`."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from webhook.core.unreviewed import Seen, is_undecided
from webhook.kube.api_types import ListPage, parse
from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from webhook.kube.clock import Runtime
    from webhook.kube.connection import Connection

PAGE_SIZE = 500  # pods: some MB
NAMED = 5  # pods in a line of the log
RIGHT = "pods: list"
JOIN_SECONDS = 5.0
# The API server leaves out what would not count, before it is sent.
RUNNING = "status.phase!=Succeeded,status.phase!=Failed"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Times in seconds; the waits give or take a tenth, so that replicas spread out.

    first: before the first look, and after one that failed. every: between two. page: the limit
    of one page.
    """

    first: float = 30.0
    every: float = 300.0
    page: float = 30.0


@dataclass(frozen=True, slots=True)
class _Found:
    """The undecided pods of a namespace: how many, and the names of the youngest."""

    count: int
    youngest: tuple[str, ...]


class UndecidedPods:
    """Counts them in the namespaces that are given, None while those are not known.

    `counts` is by namespace, of the last whole look, and None before it or without the right to
    look; `looked` is when that look ended, in Unix seconds, 0 before it.
    """

    def __init__(
        self,
        connection: Connection,
        namespaces: Callable[[], tuple[str, ...] | None],
        *,
        runtime: Runtime,
        rhythm: Rhythm,
    ) -> None:
        self._connection = connection
        self._namespaces = namespaces
        self._runtime = runtime
        self._rhythm = rhythm
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="undecided", daemon=True)
        self._trouble: int | str | None = ""
        self._counts: Mapping[str, int] | None = None
        self.looked = 0.0

    @property
    def counts(self) -> Mapping[str, int] | None:
        """Pods by namespace, of the last look, without namespaces that do not enforce any more.

        None before the first look, and where the right to look is missing.
        """
        counts, now = self._counts, self._namespaces()
        if counts is None or now is None:
            return counts
        return {name: count for name, count in counts.items() if name in now}

    def start(self) -> None:
        """Start the thread; once in a life, and after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for that, at most 5 s."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        wait = self._rhythm.first
        while not self._stop.is_set():
            self._runtime.pause(self._stop, wait * (0.9 + self._runtime.chance() / 5))
            if not self._stop.is_set():
                wait = self._next()

    def _next(self) -> float:
        """Look once; return how long to wait after it.

        | what came of it | counts | told | wait |
        |---|---|---|---|
        | the namespaces are not known yet | as before | no | first |
        | a whole look | new | where they grew | every |
        | 401, 403 | None: no number is better than an old one | the missing right, once | every |
        | another failure | as before, and `looked` grows old | once | first |
        """
        try:
            namespaces = self._namespaces()
            if namespaces is None:
                return self._rhythm.first
            self._publish({name: self._look(name) for name in namespaces})
        except ApiError as failure:
            return self._failed(failure)
        except Exception as error:  # a thread that dies would leave old counts, silently
            return self._failed(ApiError(None, f"unexpected: {error!r}"))
        return self._rhythm.every

    def _publish(self, found: Mapping[str, _Found]) -> None:
        before = self._counts or {}
        for namespace, pods in found.items():
            if pods.count > before.get(namespace, 0):
                self._runtime.told(
                    "undecided_pods", namespace=namespace, count=pods.count, pods=pods.youngest
                )
        self._trouble = ""
        self._counts = {namespace: pods.count for namespace, pods in found.items()}
        self.looked = self._runtime.clock()

    def _failed(self, failure: ApiError) -> float:
        forbidden = failure.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        if forbidden:
            self._counts = None
        if self._trouble != failure.status and not self._stop.is_set():
            self._trouble = failure.status
            if forbidden:
                self._runtime.told("right missing", right=RIGHT, error=str(failure))
            else:
                self._runtime.told("undecided pods not counted", error=str(failure))
        return self._rhythm.every if forbidden else self._rhythm.first

    def _look(self, namespace: str) -> _Found:
        """Read a namespace; from its start again if its list expired between two pages."""
        try:
            return _found(self._pods(namespace))
        except ApiError as failure:
            if failure.status != HTTPStatus.GONE:
                raise
        return _found(self._pods(namespace))

    def _pods(self, namespace: str) -> Iterator[Seen]:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
        params = {"limit": str(PAGE_SIZE), "fieldSelector": RUNNING}
        while not self._stop.is_set():
            page = parse(self._connection.get(path, params, timeout=self._rhythm.page), ListPage)
            yield from (parse(raw, Seen) for raw in page.items or ())
            if not page.metadata.token:
                return
            params |= {"continue": page.metadata.token}
        raise ApiError(None, "stopped")


def _found(pods: Iterator[Seen]) -> _Found:
    count, youngest = 0, []
    for pod in filter(is_undecided, pods):
        count += 1
        youngest.append((pod.metadata.creation_timestamp or "", pod.metadata.name))
        if len(youngest) > 2 * NAMED:
            youngest = heapq.nlargest(NAMED, youngest)
    return _Found(count, tuple(name for _, name in heapq.nlargest(NAMED, youngest)))
