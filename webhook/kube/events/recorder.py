"""Sends events to the API server in the background, as client-go's EventRecorder does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from webhook.core.event import Action
from webhook.kube.errors import ApiError
from webhook.kube.events.aggregator import EventAggregator
from webhook.kube.events.owners import OwnerCache
from webhook.kube.events.queue import EventQueue, Put, QueueLimits
from webhook.kube.events.rate_limit import Rate, RateLimitedClient
from webhook.kube.retry import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from webhook.core.event import Event
    from webhook.kube.client import ApiClient
    from webhook.kube.clock import Runtime
    from webhook.kube.events.queue import Batch

TERMINATING: Final = "NamespaceTerminating"  # the cause that Kubernetes gives (core/v1 types.go)
RIGHT: Final = "events.k8s.io: events: create, patch, get"


class EventResult(StrEnum):
    """What became of an event that was offered. Each is counted once, under one of these.

    sent: it is a new event. aggregated: it is counted in one that was there, or was sent before.
    dropped: there was no place for it, or its namespace goes. failed: the API server would not.
    """

    SENT = "sent"
    AGGREGATED = "aggregated"
    DROPPED = "dropped"
    FAILED = "failed"


class EventReporter(Struct, frozen=True):
    """Who reports: `instance` names this replica, `count` gets a result and how many got it."""

    instance: str
    count: Callable[[EventResult, int], None]


class RecorderLimits(Struct, frozen=True):
    """The limits of what is sent to the API server, with times in seconds.

    repeat: the least time between two requests about equal refusals. remember: how long a rewrite
    is not sent again, as the API server keeps events for an hour. tries: of what gets no good
    answer. flush: what the end of the process may be delayed by to send what waits.
    """

    queue: QueueLimits = field(default_factory=QueueLimits)
    rate: Rate = field(default_factory=lambda: Rate(per_second=10, burst=50))
    repeat: float = 10.0
    remember: float = 3600.0
    tries: int = 4
    flush: float = 2.0


class EventRecorder:
    """Takes events at any time and sends them while it runs."""

    def __init__(
        self, client: ApiClient, source: EventReporter, *, runtime: Runtime, limits: RecorderLimits
    ) -> None:
        self._count = source.count
        self._runtime = runtime
        self._limits = limits
        self._queue = EventQueue(limits.queue, runtime)
        self._client = RateLimitedClient(client, limits.rate, runtime=runtime)
        self._owners = OwnerCache(self._client, runtime)
        remembered = limits.queue.remembered
        self._aggregator = EventAggregator(self._client, source.instance, remembered=remembered)
        self._trouble: int | str | None = ""

    def offer(self, event: Event) -> None:
        """Take an event to send when there is time, without waiting or raising."""
        match self._queue.put(event):
            case Put.ALREADY_SENT:
                self._count(EventResult.AGGREGATED, 1)
            case Put.FULL:
                self._count(EventResult.DROPPED, 1)
            case Put.WAITS:
                pass

    async def run(self) -> None:
        """Send until cancelled, and then what waits as far as `flush` lasts."""
        batch: Batch | None = None
        try:
            while True:
                batch = self._queue.take()
                await (self._queue.wait() if batch is None else self._send(batch))
        finally:
            self._client.hurry()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.flush):
                    while batch := batch or self._queue.take(early=True):
                        await self._send(batch)
                        batch = None

    async def _send(self, batch: Batch) -> None:
        self._queue.rest(batch.event, self._limits.repeat)
        try:
            new = await self._write(batch)
        except ApiError as failure:
            self._take_failure(batch, failure)
        except Exception as error:  # a task that dies would send nothing more, silently
            self._take_failure(batch, ApiError(None, f"unexpected: {error!r}"))
        else:
            self._take_success(batch, new=new)

    async def _write(self, batch: Batch) -> bool:
        """Write a batch, with pauses between the tries.

        Raises the last failure.
        """
        runtime, tries = self._runtime, self._limits.tries
        for attempt in range(tries):
            try:
                regarding = await self._owners.regarding(batch.event)
                return await self._aggregator.write(regarding, batch)
            except ApiError as failure:
                if not failure.temporary or attempt + 1 == tries:
                    raise
                backoff = runtime.intervals.backoff
                await runtime.pause(
                    delay(failure, attempt, chance=runtime.chance(), backoff=backoff)
                )
        raise ApiError(None, "no try is allowed")

    def _take_success(self, batch: Batch, *, new: bool) -> None:
        self._trouble = ""
        if batch.event.action is Action.REWRITTEN:  # of which the first is enough
            self._queue.done(batch.event, self._limits.remember)
        if new:
            self._count(EventResult.SENT, 1)
        if batch.count > new:
            self._count(EventResult.AGGREGATED, batch.count - new)

    def _take_failure(self, batch: Batch, failure: ApiError) -> None:
        """Count, and log a trouble when it begins: what fails once fails for a while.

        | failure | result | logged |
        |---|---|---|
        | the namespace is gone, or is being terminated | dropped | no: nobody would look |
        | 401, 403 | failed | the missing right |
        | any other | failed | the failure |
        """
        ending = any(cause.reason == TERMINATING for cause in failure.causes)
        gone = failure.not_found or ending
        self._count(EventResult.DROPPED if gone else EventResult.FAILED, batch.count)
        if gone or self._trouble == failure.status:
            return
        self._trouble = failure.status
        if failure.unauthorized or failure.forbidden:
            self._runtime.log("right missing", right=RIGHT, error=str(failure))
        else:
            self._runtime.log("events failed", error=str(failure))
