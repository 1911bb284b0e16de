"""Writes events so that equal ones, of any replica, are one with a count; waits for nothing."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from webhook.core.event import Action
from webhook.kube.errors import ApiError
from webhook.kube.events import event_json
from webhook.kube.events.lru import Recent

if TYPE_CHECKING:
    from webhook.core.event import Regarding
    from webhook.kube.events.event_json import Stored
    from webhook.kube.events.queue import Batch
    from webhook.kube.events.rate_limit import Metered

CONFLICTS = 8  # of them in a row other replicas would have to win each


class Series:
    """For one thread. `instance` names this replica."""

    def __init__(self, api: Metered, instance: str, *, remembered: int) -> None:
        self._api = api
        self._instance = instance
        self._stored: Recent[str, Stored] = Recent(remembered)

    def write(self, regarding: Regarding, batch: Batch) -> bool:
        """Tell of a batch; return whether that made a new event. Raise ApiError.

        | action | there is such an event | request |
        |---|---|---|
        | Rewritten | no | POST, without a count: only the first is news |
        | Rewritten | yes | POST, whose 409 says that it is told already |
        | Refused | no | POST |
        | Refused | yes, as we wrote it last | PATCH of the count |
        | Refused | yes, else | 409, then GET and PATCH of the count |

        An answer that got lost on its way counts a batch twice: that is still a true "at least
        once", and nothing decides by it.
        """
        if batch.event.action is Action.REWRITTEN:
            return self._once(regarding, batch)
        return self._counted(regarding, batch)

    def _once(self, regarding: Regarding, batch: Batch) -> bool:
        try:
            self._create(regarding, replace(batch, count=1))
        except ApiError as failure:
            if failure.status != HTTPStatus.CONFLICT:
                raise
            return False
        return True

    def _counted(self, regarding: Regarding, batch: Batch) -> bool:
        path = self._path(regarding, batch)
        known = self._stored.get(path)
        for _ in range(CONFLICTS):
            try:
                if known is None:
                    self._stored.put(path, self._create(regarding, batch))
                    return True
                self._stored.put(path, self._count(path, known, batch))
            except ApiError as failure:
                self._stored.drop(path)
                known = self._after(failure, path, known)
            else:
                return False
        raise ApiError(None, "others write the same event all the time")

    def _create(self, regarding: Regarding, batch: Batch) -> Stored:
        body = event_json.first(regarding, batch, self._instance)
        path = event_json.collection(batch.event.namespace)
        return event_json.stored(self._api.send("POST", path, body))

    def _count(self, path: str, known: Stored, batch: Batch) -> Stored:
        return event_json.stored(self._api.send("PATCH", path, event_json.repeat(known, batch)))

    def _after(self, failure: ApiError, path: str, known: Stored | None) -> Stored | None:
        """Return what there is to count on, if a failure says only that we knew it wrong."""
        if failure.status == HTTPStatus.NOT_FOUND and known is not None:
            return None  # its time, an hour by default, was over
        if failure.status != HTTPStatus.CONFLICT:
            raise failure
        try:
            return event_json.stored(self._api.get(path))
        except ApiError as gone:
            if gone.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def _path(self, regarding: Regarding, batch: Batch) -> str:
        namespace, name = batch.event.namespace, event_json.name(regarding, batch)
        return f"{event_json.collection(namespace)}/{name}"
