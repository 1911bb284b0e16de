"""The thread that tells the cluster of events; what an event is and says is not decided here."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from webhook.core.event import Action
from webhook.kube.errors import ApiError
from webhook.kube.events.aggregator import Series
from webhook.kube.events.owners import Owners
from webhook.kube.events.queue import Outbox, Places, Put
from webhook.kube.events.rate_limit import Metered, Rate
from webhook.kube.retry import delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from webhook.core.event import Event
    from webhook.kube.clock import Runtime
    from webhook.kube.connection import Connection
    from webhook.kube.events.queue import Batch

TERMINATING = "NamespaceTerminating"  # the cause that Kubernetes gives (core/v1 types.go)
RIGHT = "events.k8s.io: events: create, patch, get"


class Result(StrEnum):
    """What became of an event that was offered; each is counted once, under one of these.

    sent: it is a new event. aggregated: it is counted in one that was there, or was told before.
    dropped: there was no place for it, or its namespace goes. failed: the API server would not.
    """

    SENT = "sent"
    AGGREGATED = "aggregated"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who tells: `instance` names this replica; `counted` gets a result and how many got it."""

    instance: str
    counted: Callable[[Result, int], None]


@dataclass(frozen=True, slots=True)
class Manners:
    """What the API server is asked to bear; times in seconds.

    repeat: the least time between two requests about equal refusals. told: how long a rewrite is
    not told again; the API server keeps events for an hour. tries: of what gets no good answer.
    last: what the end of the process may be delayed by to send what waits.
    """

    places: Places = field(default_factory=Places)
    rate: Rate = field(default_factory=lambda: Rate(per_second=10, burst=50))
    repeat: float = 10.0
    told: float = 3600.0
    tries: int = 4
    last: float = 1.0


class Events:
    """Takes events from any thread and sends them from its own. Start it after the fork."""

    def __init__(
        self, connection: Connection, reporter: Reporter, *, runtime: Runtime, manners: Manners
    ) -> None:
        self._counted = reporter.counted
        self._runtime = runtime
        self._manners = manners
        self._stop = threading.Event()
        self._outbox = Outbox(manners.places, runtime)
        api = Metered(connection, manners.rate, runtime=runtime, stop=self._stop)
        self._owners = Owners(api, runtime)
        self._series = Series(api, reporter.instance, remembered=manners.places.remembered)
        self._trouble: int | str | None = ""
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Start the thread; once in a life."""
        self._thread.start()

    def offer(self, event: Event) -> None:
        """Take an event to send when there is time; never waits and never raises."""
        match self._outbox.put(event):
            case Put.TOLD:
                self._counted(Result.AGGREGATED, 1)
            case Put.FULL:
                self._counted(Result.DROPPED, 1)
            case Put.WAITS:
                pass

    def stop(self) -> None:
        """End the thread, which sends what waits as far as `manners.last` lasts."""
        self._stop.set()
        self._outbox.close()
        if self._thread.ident is not None:
            self._thread.join(self._manners.last)

    def _run(self) -> None:
        while not self._stop.is_set():
            batch = self._outbox.take()
            if batch is None:
                self._outbox.wait()
            else:
                self._tell(batch)
        end = self._runtime.now() + self._manners.last
        while self._runtime.now() < end and (batch := self._outbox.take(early=True)) is not None:
            self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        self._outbox.rest(batch.event, self._manners.repeat)
        try:
            new = self._written(batch)
        except ApiError as failure:
            self._failed(batch, failure)
        except Exception as error:  # a thread that dies would tell of nothing more, silently
            self._failed(batch, ApiError(None, f"unexpected: {error!r}"))
        else:
            self._succeeded(batch, new=new)

    def _written(self, batch: Batch) -> bool:
        """Write a batch, with pauses between the tries; raise the last failure."""
        runtime, tries = self._runtime, self._manners.tries
        for attempt in range(tries):
            try:
                return self._series.write(self._owners.regarding(batch.event), batch)
            except ApiError as failure:
                if not failure.temporary or attempt + 1 == tries:
                    raise
                backoff = runtime.pace.backoff
                pause = delay(failure, attempt, chance=runtime.chance(), backoff=backoff)
                runtime.pause(self._stop, pause)
        raise ApiError(None, "no try is allowed")

    def _succeeded(self, batch: Batch, *, new: bool) -> None:
        self._trouble = ""
        if batch.event.action is Action.REWRITTEN:  # of which the first is enough
            self._outbox.done(batch.event, self._manners.told)
        if new:
            self._counted(Result.SENT, 1)
        if batch.count > new:
            self._counted(Result.AGGREGATED, batch.count - new)

    def _failed(self, batch: Batch, failure: ApiError) -> None:
        """Count, and tell of a trouble when it begins: what fails once fails for a while.

        | failure | result | told |
        |---|---|---|
        | the namespace is gone, or is being terminated | dropped | no: nobody would look |
        | 401, 403 | failed | the missing right |
        | any other | failed | the failure |
        """
        ending = any(cause.reason == TERMINATING for cause in failure.causes)
        gone = failure.not_found or ending
        self._counted(Result.DROPPED if gone else Result.FAILED, batch.count)
        if gone or self._trouble == failure.status:
            return
        self._trouble = failure.status
        if failure.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            self._runtime.told("right missing", right=RIGHT, error=str(failure))
        else:
            self._runtime.told("events failed", error=str(failure))
