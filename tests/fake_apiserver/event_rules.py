"""What the API server demands of an event of events.k8s.io/v1, and lets a patch change.

The rules are those of Kubernetes' pkg/apis/core/validation/events.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fake_apiserver.answers import StatusError

if TYPE_CHECKING:
    from tests.fake_apiserver.paths import Json, ResourcePath

GROUP = "events.k8s.io"
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
COUNTED = 2  # the least that a series counts


def check_new_event(path: ResourcePath, event: Json) -> None:
    """Refuse an event that breaks a rule; raise StatusError."""
    broken = [rule for rule, holds in _rules(path, event).items() if not holds]
    if broken:
        raise StatusError(422, f"Event {path.name} is invalid: {', '.join(broken)}")


def check_changed_event(path: ResourcePath, before: Json, after: Json) -> None:
    """Refuse a change of anything but the series; raise StatusError."""
    kept = {key for key in before if key not in ("series", "metadata")}
    changed = [key for key in kept if after.get(key) != before[key]]
    if changed or not _counts(after):
        raise StatusError(422, f"Event {path.name} is invalid: {changed or 'series.count'}")


def _rules(path: ResourcePath, event: Json) -> dict[str, bool]:
    namespace = event["metadata"].get("namespace", "")
    return {
        "apiVersion": event.get("apiVersion") == "events.k8s.io/v1",
        "metadata.name": len(path.name) <= 253 and NAME.fullmatch(path.name) is not None,
        "metadata.namespace": path.namespace == namespace,
        "regarding.namespace": event["regarding"].get("namespace") == namespace,
        "eventTime": MICRO_TIME.fullmatch(event.get("eventTime", "")) is not None,
        "type": event.get("type") in ("Normal", "Warning"),
        "action": 0 < len(event.get("action", "")) <= 128,
        "reason": 0 < len(event.get("reason", "")) <= 128,
        "note": len(event.get("note", "").encode()) <= 1024,
        "reportingController": event.get("reportingController") == "gpu-sharing.io/webhook",
        "reportingInstance": 0 < len(event.get("reportingInstance", "")) <= 128,
        "deprecated fields": not any(key.startswith("deprecated") for key in event),
        "series": _counts(event),
    }


def _counts(event: Json) -> bool:
    series = event.get("series")
    if series is None:
        return True
    seen = MICRO_TIME.fullmatch(series.get("lastObservedTime", ""))
    return series.get("count", 0) >= COUNTED and seen is not None
