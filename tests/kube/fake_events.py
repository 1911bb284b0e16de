"""Events as the API server takes them: what it demands, and how it merges; no HTTP.

The rules are those of Kubernetes' pkg/apis/core/validation/events.go for events.k8s.io/v1.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_api import FakeApi

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
COUNTED = 2  # the least that a series counts
Answer = tuple[int, dict]


def collection(namespace: str) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"


def write(api: FakeApi, kind: str, path: str, body: dict) -> Answer:
    """Create or merge; return the status and the body of the answer."""
    with api.lock:
        return _create(api, path, body) if kind == "post" else _patch(api, path, body)


def _create(api: FakeApi, path: str, event: dict) -> Answer:
    name = event["metadata"]["name"]
    wrong = [rule for rule, holds in _rules(event, path).items() if not holds]
    if wrong:
        return _status(422, f"Event {name} is invalid: {', '.join(wrong)}")
    if name in api.objects[path]:
        return _status(409, f"events {name} already exists")
    api.put(path, event)
    return 201, event


def _patch(api: FakeApi, path: str, patch: dict) -> Answer:
    where, _, name = path.rpartition("/")
    before = api.objects[where].get(name)
    if before is None:
        return _status(404, f"events {name} not found")
    wanted = patch.get("metadata", {}).get("resourceVersion")
    if wanted not in (None, before["metadata"]["resourceVersion"]):
        return _status(409, "the object has been modified")
    after = _merged(copy.deepcopy(before), patch)
    changed = [key for key in before if key != "series" and after[key] != before[key]]
    if changed or not _counts(after):
        return _status(422, f"Event {name} is invalid: {changed or 'series.count'}")
    api.put(where, after)
    return 200, after


def _rules(event: dict, path: str) -> dict[str, bool]:
    namespace = event["metadata"].get("namespace", "")
    return {
        "apiVersion": event.get("apiVersion") == "events.k8s.io/v1",
        "metadata.name": len(event["metadata"]["name"]) <= 253
        and NAME.fullmatch(event["metadata"]["name"]) is not None,
        "metadata.namespace": path == collection(namespace),
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


def _counts(event: dict) -> bool:
    series = event.get("series")
    if series is None:
        return True
    seen = MICRO_TIME.fullmatch(series.get("lastObservedTime", ""))
    return series.get("count", 0) >= COUNTED and seen is not None


def _merged(target: dict, patch: dict) -> dict:
    """RFC 7386."""
    for key, value in patch.items():
        if isinstance(value, dict):
            target[key] = _merged(target.get(key, {}), value)
        else:
            target[key] = value
    return target


def _status(code: int, message: str) -> Answer:
    return code, {"kind": "Status", "code": code, "message": message}
