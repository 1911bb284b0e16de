"""Finds the Deployment behind a ReplicaSet, with its uid. Other kinds stay as they are.

`kubectl describe` finds events by the object's uid, `kubectl events --for` by kind, apiVersion and
name. A Deployment guessed from the ReplicaSet's name would have no uid. So where the ReplicaSet
cannot be read, the event stands on the ReplicaSet itself, whose uid the pod names: there
the ReplicaSet controller writes FailedCreate too, and `kubectl describe deployment` names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from webhook.core.api.pod import OwnerReference
from webhook.core.event import Regarding
from webhook.kube.api_types import parse_json
from webhook.kube.errors import ApiError
from webhook.kube.events.event_json import is_dns_subdomain
from webhook.kube.events.lru import LruMap

if TYPE_CHECKING:
    from webhook.core.event import Event
    from webhook.kube.clock import Runtime
    from webhook.kube.events.rate_limit import RateLimitedClient

MOST: Final = 1000  # ReplicaSets remembered
KEEP_FAILURE: Final = 60.0  # seconds that one which could not be read stands for itself
_APPS: Final = "apps/v1"


class _OwnedMetadata(msgspec.Struct):
    owners: tuple[OwnerReference, ...] | None = msgspec.field(name="ownerReferences", default=None)


class _OwnedObject(msgspec.Struct):
    metadata: _OwnedMetadata


class OwnerCache:
    """Remembers the controllers of ReplicaSets."""

    def __init__(self, client: RateLimitedClient, runtime: Runtime) -> None:
        self._client = client
        self._runtime = runtime
        self._known: LruMap[tuple[str, Regarding], tuple[Regarding, float]] = LruMap(MOST)

    async def regarding(self, event: Event) -> Regarding:
        """Return the object that an event should stand on.

        | the event's object | the API server's answer | the object |
        |---|---|---|
        | a ReplicaSet of apps/v1 | it has a controller | that, as a rule a Deployment |
        | a ReplicaSet of apps/v1 | it has none; 403, 404 and other refusals | the ReplicaSet |
        | a ReplicaSet of apps/v1 | none, 429, 5xx | ApiError: worth another try |
        | any other, or what no object can be named | is not asked | as it is |
        """
        near = event.regarding
        replica_set = (near.api_version, near.kind) == (_APPS, "ReplicaSet")
        if not replica_set or not is_dns_subdomain(near.name):
            return near
        key = (event.namespace, near)
        known = self._known.get(key)
        if known is None or known[1] <= self._runtime.now():
            known = await self._look_up(event.namespace, near)
            self._known.put(key, known)
        return known[0]

    async def _look_up(self, namespace: str, near: Regarding) -> tuple[Regarding, float]:
        path = f"/apis/{_APPS}/namespaces/{quote(namespace, safe='')}/replicasets/{near.name}"
        try:
            found = parse_json(await self._client.get(path), _OwnedObject).metadata.owners or ()
        except ApiError as failure:
            if failure.temporary:
                raise
            return near, self._runtime.now() + KEEP_FAILURE
        for each in found:
            if each.controller:
                far = Regarding(each.api_version, each.kind, each.name, each.uid)
                return far, float("inf")
        return near, float("inf")
