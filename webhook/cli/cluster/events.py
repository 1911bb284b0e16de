"""Events of a namespace as values: what happened to what, how often and since when; no output."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import Struct, field

from webhook.cli.cluster import kinds, types
from webhook.cli.cluster.client import Access
from webhook.cli.cluster.types import Meta
from webhook.core import record
from webhook.core.api import names
from webhook.core.record import DecisionRecord

OURS: Final = "gpu-sharing.io/webhook"
"""The `reportingComponent` of the webhook's events (webhook.kube.events.event_json)."""


class _Part(Struct, frozen=True, rename="camel"):
    """Only what is read."""


class _Reference(_Part, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    namespace: str = ""


class _Source(_Part, frozen=True):
    component: str = ""


class _Series(_Part, frozen=True):
    count: int = 1
    last_observed_time: datetime | None = None


class _Event(_Part, frozen=True):
    metadata: Meta = field(default_factory=Meta)
    involved_object: _Reference = field(default_factory=_Reference)
    reason: str = ""
    message: str = ""
    type: str = ""
    action: str = ""
    reporting_component: str = ""
    source: _Source = field(default_factory=_Source)
    count: int | None = None
    series: _Series | None = None
    event_time: datetime | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One kind of thing that happened to one object, maybe often.

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
        """Whether this is the webhook's own word of a refusal."""
        return self.by == OURS and self.action == "Refused"


def of_namespace(
    access: Access, namespace: str | None, *, by: str | None = None
) -> Iterator[Happening]:
    """Yield what happened in a namespace, or in all, told by anybody or one; raise Unavailable."""
    only = {"fieldSelector": f"reportingComponent={by}"} if by else {}
    for each in access.each(kinds.EVENT, namespace, **only):
        found = _read(types.read(each, _Event))
        if by in (None, found.by):
            yield found


def _read(event: _Event) -> Happening:
    by = event.reporting_component or event.source.component
    annotations = event.metadata.annotations or {}
    first = event.first_timestamp or event.event_time or event.metadata.creation_timestamp
    series = event.series or _Series()
    return Happening(
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
        record=record.from_json(annotations.get(names.DECISION)) if by == OURS else None,
    )
