"""Events as events.k8s.io/v1 has them: paths, names and bodies as plain data.

What the API server demands stands in Kubernetes' pkg/apis/core/validation/events.go: of a v1 Event
only `series` may change, and its count is never below 2.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from webhook.core.api import names
from webhook.kube.api_types import Text, parse_json

if TYPE_CHECKING:
    from webhook.core.event import Regarding
    from webhook.kube.events.queue import Batch

INSTANCE_LIMIT: Final = 128  # characters
_MOST: Final = 2**31 - 1  # series.count is an int32
_HASH: Final = 16  # hexadecimal digits: enough that two events of an hour never meet
_PREFIX: Final = 253 - 1 - _HASH
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class StoredEvent(Struct, frozen=True):
    """An event as the API server has it: its version, and how many it counts."""

    version: str
    count: int


class _StoredSeries(msgspec.Struct):
    count: int = 1


class _EventMetadata(msgspec.Struct):
    version: Text = msgspec.field(name="resourceVersion")


class _EventObject(msgspec.Struct):
    metadata: _EventMetadata
    series: _StoredSeries | None = None


def events_path(namespace: str) -> str:
    """Return the path of the events of a namespace."""
    return f"/apis/events.k8s.io/v1/namespaces/{quote(namespace, safe='')}/events"


def event_name(regarding: Regarding, batch: Batch) -> str:
    """Return the name that every replica gives to equal events, also after a restart.

    The object's uid counts: the object of an event cannot change, and one made anew is another.
    """
    event = batch.event
    about = (regarding.api_version, regarding.kind, regarding.name, regarding.uid)
    parts = "\0".join((*about, event.action, event.reason.code, event.note))
    digest = hashlib.sha256(parts.encode(errors="replace")).hexdigest()[:_HASH]
    prefix = regarding.name[:_PREFIX].rstrip("-.") if is_dns_subdomain(regarding.name) else "object"
    return f"{prefix}.{digest}"


def is_dns_subdomain(text: str) -> bool:
    """Whether an object can have this name.

    The API server does not check names in an owner reference.
    """
    return _SUBDOMAIN.fullmatch(text) is not None


def new_event(regarding: Regarding, batch: Batch, instance: str) -> dict[str, Any]:
    """Return the body of a new event."""
    event = batch.event
    body: dict[str, Any] = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": event_name(regarding, batch),
            "namespace": event.namespace,
            "annotations": {names.DECISION: event.record},
        },
        "eventTime": micro_time(batch.first),
        "type": event.type,
        "action": event.action.value,
        "reason": event.reason.code,
        "note": event.note,
        "regarding": _reference(event.namespace, regarding),
        "reportingController": names.CONTROLLER,
        "reportingInstance": instance[:INSTANCE_LIMIT],
    }
    return body | (_series(batch.count, batch.last) if batch.count > 1 else {})


def count_patch(stored: StoredEvent, batch: Batch) -> dict[str, Any]:
    """Return the merge patch that counts a batch in, unless another was quicker."""
    version = {"metadata": {"resourceVersion": stored.version}}
    return version | _series(stored.count + batch.count, batch.last)


def read_stored_event(body: bytes) -> StoredEvent:
    """Read an event that the API server answers with.

    Raises ApiError if it is none.
    """
    found = parse_json(body, _EventObject)
    return StoredEvent(found.metadata.version, max(1, found.series.count if found.series else 1))


def micro_time(seconds: float) -> str:
    """Return a MicroTime: RFC 3339 with six decimals, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _series(count: int, last: float) -> dict[str, Any]:
    return {"series": {"count": min(count, _MOST), "lastObservedTime": micro_time(last)}}


def _reference(namespace: str, regarding: Regarding) -> dict[str, str]:
    reference = {
        "apiVersion": regarding.api_version,
        "kind": regarding.kind,
        "namespace": namespace,
        "name": regarding.name,
        "uid": regarding.uid,
    }
    return {key: value for key, value in reference.items() if value}
