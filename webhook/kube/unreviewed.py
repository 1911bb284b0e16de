"""Counts the pods that were never reviewed, as `core.unreviewed` judges them."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from msgspec import Struct

from webhook.core.unreviewed import Seen, is_unreviewed
from webhook.kube.api_types import ListPage, parse_json
from webhook.kube.errors import ApiError
from webhook.process.cooperative import in_turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from webhook.kube.client import ApiClient
    from webhook.kube.clock import Runtime

PAGE_SIZE: Final = 100  # pods: about 1 MB
NAMED: Final = 5  # pods in a line of the log
RIGHT: Final = "pods: list"
# The API server leaves out what would not count, before it is sent.
RUNNING: Final = "status.phase!=Succeeded,status.phase!=Failed"


class CountIntervals(Struct, frozen=True):
    """Times in seconds. The waits give or take a tenth, so that replicas spread out.

    first: before the first count, and after one that failed. every: between two. page: the limit
    of one page.
    """

    first: float = 30.0
    every: float = 300.0
    page: float = 30.0


class _NamespaceCount(Struct, frozen=True):
    """The unreviewed pods of a namespace: how many, and the names of the youngest."""

    count: int
    youngest: tuple[str, ...]


class UnreviewedPods:
    """Counts them in the namespaces that are given, None while those are not known.

    `counted_at` is when the last whole count ended, in Unix seconds, 0 before it.
    """

    def __init__(
        self,
        client: ApiClient,
        namespaces: Callable[[], tuple[str, ...] | None],
        *,
        runtime: Runtime,
        intervals: CountIntervals,
    ) -> None:
        self._client = client
        self._namespaces = namespaces
        self._runtime = runtime
        self._intervals = intervals
        self._trouble: int | str | None = ""
        self._counts: Mapping[str, int] | None = None
        self.counted_at = 0.0

    @property
    def counts(self) -> Mapping[str, int] | None:
        """Pods by namespace, of the last count, without namespaces that do not enforce any more.

        None before the first count, and where the right to list is missing.
        """
        counts, now = self._counts, self._namespaces()
        if counts is None or now is None:
            return counts
        return {name: count for name, count in counts.items() if name in now}

    async def run(self) -> None:
        """Count again and again until cancelled."""
        wait = self._intervals.first
        while True:
            await self._runtime.pause(wait * (0.9 + self._runtime.chance() / 5))
            wait = await self._count_all()

    async def _count_all(self) -> float:
        """Count once, and return how long to wait after it.

        | what came of it | counts | logged | wait |
        |---|---|---|---|
        | the namespaces are not known yet | as before | no | first |
        | a whole count | new | where they grew | every |
        | 401, 403 | None: no number is better than an old one | the missing right, once | every |
        | another failure | as before, and `counted_at` grows old | once | first |
        """
        try:
            namespaces = self._namespaces()
            if namespaces is None:
                return self._intervals.first
            self._publish({name: await self._count(name) for name in namespaces})
        except ApiError as failure:
            return self._take_failure(failure)
        except Exception as error:  # a task that dies would leave old counts, silently
            return self._take_failure(ApiError(None, f"unexpected: {error!r}"))
        return self._intervals.every

    def _publish(self, found: Mapping[str, _NamespaceCount]) -> None:
        before = self._counts or {}
        for namespace, pods in found.items():
            if pods.count > before.get(namespace, 0):
                self._runtime.log(
                    "unreviewed_pods", namespace=namespace, count=pods.count, pods=pods.youngest
                )
        self._trouble = ""
        self._counts = {namespace: pods.count for namespace, pods in found.items()}
        self.counted_at = self._runtime.clock()

    def _take_failure(self, failure: ApiError) -> float:
        refused = failure.unauthorized or failure.forbidden
        if refused:
            self._counts = None
        if self._trouble != failure.status:
            self._trouble = failure.status
            if refused:
                self._runtime.log("right missing", right=RIGHT, error=str(failure))
            else:
                self._runtime.log("unreviewed pods not counted", error=str(failure))
        return self._intervals.every if refused else self._intervals.first

    async def _count(self, namespace: str) -> _NamespaceCount:
        """Count in a namespace, from its start again if its list expired between two pages."""
        try:
            return await _count_pods(self._pods(namespace))
        except ApiError as failure:
            if not failure.expired:
                raise
        return await _count_pods(self._pods(namespace))

    async def _pods(self, namespace: str) -> AsyncIterator[Seen]:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
        params = {"limit": str(PAGE_SIZE), "fieldSelector": RUNNING}
        while True:
            body = await self._client.get(path, params, timeout=self._intervals.page)
            page = parse_json(body, ListPage)
            async for raw in in_turns(page.items or ()):
                yield parse_json(raw, Seen)
            if not page.metadata.token:
                return
            params |= {"continue": page.metadata.token}


async def _count_pods(pods: AsyncIterator[Seen]) -> _NamespaceCount:
    count, youngest = 0, []
    async for pod in pods:
        if not is_unreviewed(pod):
            continue
        count += 1
        youngest.append((pod.metadata.creation_timestamp or "", pod.metadata.name))
        if len(youngest) > 2 * NAMED:
            youngest = heapq.nlargest(NAMED, youngest)
    return _NamespaceCount(count, tuple(name for _, name in heapq.nlargest(NAMED, youngest)))
