"""Events of a namespace: what happened to which object, how often and since when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from msgspec import field

from webhook.cli.cluster import resources, types
from webhook.cli.cluster.client import ClusterClient
from webhook.cli.cluster.types import CamelStruct, Meta
from webhook.core import record
from webhook.core.api import names
from webhook.core.record_values import DecisionRecord


class _ObjectReference(CamelStruct, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    namespace: str = ""


class _CoreEventSource(CamelStruct, frozen=True):
    component: str = ""


class _CoreEventSeries(CamelStruct, frozen=True):
    count: int = 1
    last_observed_time: datetime | None = None


class _CoreEvent(CamelStruct, frozen=True):
    metadata: Meta = field(default_factory=Meta)
    involved_object: _ObjectReference = field(default_factory=_ObjectReference)
    reason: str = ""
    message: str = ""
    type: str = ""
    action: str = ""
    reporting_component: str = ""
    source: _CoreEventSource = field(default_factory=_CoreEventSource)
    count: int | None = None
    series: _CoreEventSeries | None = None
    event_time: datetime | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """Something that happened to one object, maybe often.

    `record` is the decision that an event of the webhook tells of.
    """

    namespace: str
    kind: str
    name: str
    uid: str
    reason: str
    action: str
    message: str
    by: str
    count: int
    first: datetime | None
    last: datetime | None
    record: DecisionRecord | None

    @property
    def refused(self) -> bool:
        """Whether this is the webhook's own event of a refusal."""
        return self.by == names.CONTROLLER and self.action == "Refused"


def list_events(
    client: ClusterClient, namespace: str | None, *, by: str | None = None
) -> Iterator[ClusterEvent]:
    """Yield the events of a namespace or of all, maybe those `by` one component."""
    only = {"fieldSelector": f"reportingComponent={by}"} if by else {}
    for each in client.each(resources.EVENT, namespace, **only):
        found = _read(types.convert(each, _CoreEvent))
        if by in (None, found.by):
            yield found


def _read(event: _CoreEvent) -> ClusterEvent:
    by = event.reporting_component or event.source.component
    annotations = event.metadata.annotations or {}
    first = event.first_timestamp or event.event_time or event.metadata.creation_timestamp
    series = event.series or _CoreEventSeries()
    return ClusterEvent(
        namespace=event.metadata.namespace or event.involved_object.namespace,
        kind=event.involved_object.kind,
        name=event.involved_object.name,
        uid=event.involved_object.uid,
        reason=event.reason,
        action=event.action,
        message=event.message,
        by=by,
        count=max(event.count or 1, series.count, 1),
        first=first,
        last=series.last_observed_time or event.last_timestamp or first,
        record=record.from_json(annotations.get(names.DECISION))
        if by == names.CONTROLLER
        else None,
    )
