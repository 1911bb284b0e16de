"""Keeps the items of one resource: lists, watches and retries, as `list_watch` decides."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from webhook.kube.debounce import Debounce
from webhook.kube.errors import ApiError
from webhook.kube.list_watch import ListWatch
from webhook.kube.retry import delay
from webhook.process.cooperative import in_turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from webhook.kube.client import ApiClient
    from webhook.kube.clock import Runtime
    from webhook.kube.list_watch import Change, WatchedResource

T = TypeVar("T")


class Reflector(Generic[T]):
    """Lists, then watches, for ever, and publishes what it knows.

    `publish` gets a read-only mapping by name (None: exists, does not matter): soon after every
    change, and again each `tick` seconds, then the same object if nothing changed.
    """

    def __init__(
        self,
        client: ApiClient,
        resource: WatchedResource[T],
        *,
        publish: Callable[[Mapping[str, T | None]], Awaitable[None]],
        runtime: Runtime,
    ) -> None:
        self._client = client
        self._resource = resource
        self._publish = publish
        self._runtime = runtime
        self._state = ListWatch(resource, watch_seconds=runtime.intervals.watch)
        self._snapshot: Mapping[str, T | None] | None = None
        self._changed = False
        self._attempt = 0
        self._debounce = Debounce(resource.name, self._publish_snapshot, runtime)
        self.listed = False
        self.last_contact = runtime.now()
        self.trouble = ""
        self._failing_since = runtime.now()

    def problem(self) -> str:
        """Return what is wrong at the moment, for people, or nothing."""
        waiting = "" if self.listed else "not listed yet"
        return ", ".join(filter(None, (waiting, self.trouble)))

    def failing_for(self) -> float:
        """Return the seconds since the last healthy watch, 0 while all is well."""
        return self._runtime.now() - self._failing_since if self.trouble else 0.0

    async def run(self) -> None:
        """List and watch until cancelled."""
        self.last_contact = self._runtime.now()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._debounce.run())
            tasks.create_task(self._list_and_watch())

    async def _list_and_watch(self) -> None:
        while True:
            try:
                await (self._watch() if self._state.watching else self._list())
            except ApiError as failure:
                await self._pause_after(failure)
            except Exception as error:  # a task that dies would leave a stale cache, silently
                self._state.relist()
                await self._pause_after(ApiError(None, f"unexpected: {error!r}"))

    async def _list(self) -> None:
        body = await self._client.get(
            self._resource.path,
            self._state.list_params(),
            timeout=self._runtime.intervals.list,
        )
        async for change in in_turns(self._state.take_page(body)):
            self._take(change)
        if self._state.watching:
            self._changed = self._changed or not self.listed
            self.listed = True
            self._debounce.mark()
            items = len(self._state.items)
            self._runtime.log("listed", resource=self._resource.name, items=items)

    async def _watch(self) -> None:
        intervals, path = self._runtime.intervals, self._resource.path
        silence = intervals.watch + intervals.margin
        async with self._client.stream(path, self._state.watch_params(), timeout=silence) as lines:
            opened = self._runtime.now()
            self._note_contact()
            try:
                async for line in lines:
                    self._take(self._state.take_event(line))
                    await asyncio.sleep(0)  # many come at once: reviews go between any two
            finally:
                healthy = self._runtime.now() - opened >= intervals.healthy
                self._attempt = 0 if healthy else self._attempt
        if not healthy:
            raise ApiError(None, f"the watch ended within {intervals.healthy} s")
        self._note_contact()

    def _take(self, change: Change) -> None:
        self._note_contact()
        if change.changed:
            self._changed = True
            self._debounce.mark()
        for reason in change.skipped:
            self._runtime.log("object skipped", resource=self._resource.name, reason=reason)

    def _note_contact(self) -> None:
        self.last_contact = self._runtime.now()
        if self.trouble:
            self.trouble = ""
            self._runtime.log("reached again", resource=self._resource.name)

    async def _pause_after(self, failure: ApiError) -> None:
        """Remember and log a failure, and wait as long as the policy wants."""
        runtime, name = self._runtime, self._resource.name
        backoff = runtime.intervals.backoff
        wait = delay(failure, self._attempt, chance=runtime.chance(), backoff=backoff)
        if self._attempt == 0:
            self._failing_since = runtime.now()
        self._attempt += 1
        self._state.take_failure(failure)
        self.trouble = str(failure)
        if failure.unauthorized or failure.forbidden:
            right = f"{name}: list,watch"
            self.trouble = f"the right {right} is missing: {failure}"
            runtime.log("right missing", right=right, error=str(failure), retry_in=wait)
        else:
            runtime.log("watch failed", resource=name, error=str(failure), retry_in=wait)
        await runtime.pause(wait)

    async def _publish_snapshot(self) -> None:
        """Publish a snapshot, which is a new one only if something changed since the last."""
        if not self.listed:
            return
        if self._changed or self._snapshot is None:
            self._changed = False
            self._snapshot = MappingProxyType(dict(self._state.items))
        await self._publish(self._snapshot)
