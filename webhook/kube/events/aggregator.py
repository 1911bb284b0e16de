"""Writes events so that equal ones, of any replica, are one with a count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from webhook.core.event import Action
from webhook.kube.errors import ApiError
from webhook.kube.events import event_json
from webhook.kube.events.lru import LruMap

if TYPE_CHECKING:
    from webhook.core.event import Regarding
    from webhook.kube.events.event_json import StoredEvent
    from webhook.kube.events.queue import Batch
    from webhook.kube.events.rate_limit import RateLimitedClient

CONFLICTS: Final = 8  # of them in a row other replicas would have to win each


class EventAggregator:
    """Writes the events of one replica, which `instance` names."""

    def __init__(self, client: RateLimitedClient, instance: str, *, remembered: int) -> None:
        self._client = client
        self._instance = instance
        self._stored: LruMap[str, StoredEvent] = LruMap(remembered)

    async def write(self, regarding: Regarding, batch: Batch) -> bool:
        """Write a batch, and return whether that made a new event.

        Raises ApiError.

        | action | there is such an event | request |
        |---|---|---|
        | Rewritten | no | POST, without a count: only the first is news |
        | Rewritten | yes | POST, whose 409 means that it is there already |
        | Refused | no | POST |
        | Refused | yes, as we wrote it last | PATCH of the count |
        | Refused | yes, else | 409, then GET and PATCH of the count |

        An answer that got lost on its way counts a batch twice: that is still a true "at least
        once", and nothing decides by it.
        """
        if batch.event.action is not Action.REWRITTEN:
            return await self._write_counted(regarding, batch)
        try:
            await self._create(regarding, replace(batch, count=1))
        except ApiError as failure:
            if not failure.conflict:
                raise
            return False
        return True

    async def _write_counted(self, regarding: Regarding, batch: Batch) -> bool:
        events = event_json.events_path(batch.event.namespace)
        path = f"{events}/{event_json.event_name(regarding, batch)}"
        known = self._stored.get(path)
        for _ in range(CONFLICTS):
            try:
                if known is None:
                    self._stored.put(path, await self._create(regarding, batch))
                    return True
                patch = event_json.count_patch(known, batch)
                body = await self._client.send("PATCH", path, patch)
                self._stored.put(path, event_json.read_stored_event(body))
            except ApiError as failure:
                self._stored.drop(path)
                known = await self._known_after(failure, path, known)
            else:
                return False
        raise ApiError(None, "others write the same event all the time")

    async def _create(self, regarding: Regarding, batch: Batch) -> StoredEvent:
        body = event_json.new_event(regarding, batch, self._instance)
        path = event_json.events_path(batch.event.namespace)
        return event_json.read_stored_event(await self._client.send("POST", path, body))

    async def _known_after(
        self, failure: ApiError, path: str, known: StoredEvent | None
    ) -> StoredEvent | None:
        """Return the event to count on after a failure, None for no such event.

        A failure may mean only that our knowledge of the event was old.
        """
        if failure.not_found and known is not None:
            return None  # its time, an hour by default, was over
        if not failure.conflict:
            raise failure
        try:
            return event_json.read_stored_event(await self._client.get(path))
        except ApiError as gone:
            if not gone.not_found:
                raise
            return None
