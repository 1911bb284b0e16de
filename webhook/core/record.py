"""The decision record: what was decided for one pod, in every written form.

| form | written by | read by |
|---|---|---|
| the pod's annotation `gpu-sharing.io/decision` | `pod_annotation` | `pod_annotation` |
| that annotation of an Event, and the warning of a dry run | `to_json` | `from_json` |
| a review in the audit log | `to_log_line` | `from_log_line` |
| annotations of the API server's audit event | `to_audit_annotations` | people |
| `status.details.causes` of a refusal | `to_status_causes` | `from_status_causes` |

Anybody may write an annotation, so nothing that is read here decides anything.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec
from msgspec.structs import asdict, replace

from webhook.core.api.admission import AdmissionRequest
from webhook.core.api.names import LABEL_LENGTH, NAME_LENGTH
from webhook.core.api.pod import Metadata, controller
from webhook.core.api.violation import Violation
from webhook.core.decision.values import Allocation, GpuRequest
from webhook.core.record_values import Cause, ContainerChange, DecisionRecord, LogLine, ShortRecord

MOST_READ: Final = 16 * 1024
"""Bytes of an annotation or a warning that are read; a longer one tells nothing."""
MOST_WARNED: Final = 2048
"""Bytes of a record in a warning: the API server cuts those of more than 4096 in all."""
MOST_WRITTEN: Final = 8 * 1024  # bytes of containers, and of causes: both fit into MOST_READ
_MOST_CAUSES: Final = 20  # of a refusal, as in its message

_T = TypeVar("_T")


def container_changes(
    requests: Iterable[GpuRequest], given: Iterable[Allocation]
) -> tuple[ContainerChange, ...]:
    """Return one change for each request for GPUs, in the order of the requests."""
    by_place = {each.request.container: each for each in given}
    return tuple(_change(request, by_place.get(request.container)) for request in requests)


def _change(request: GpuRequest, given: Allocation | None) -> ContainerChange:
    name, requested = request.container.name, {request.resource: request.count}
    if given is None:
        return ContainerChange(name, requested, {})
    to, strategy = {given.offer.resource: request.count}, given.offer.strategy.value
    return ContainerChange(name, requested, to, strategy, given.reason.code)


def causes_of(violations: Iterable[Violation]) -> tuple[Cause, ...]:
    """Return the causes that violations amount to, each once."""
    return tuple({Cause(v.reason.code, v.container, v.field, v.message): v for v in violations})


def shortened(record: DecisionRecord) -> ShortRecord:
    """Return what a line of the log and a Status hold of a record."""
    violations = fitting(record.violations[:_MOST_CAUSES])
    cut = {"containers": fitting(record.containers), "violations": violations}
    return ShortRecord(**{**asdict(record), **cut})


def to_json(record: DecisionRecord, most: int = MOST_READ) -> str:
    """Return the record as JSON of about `most` bytes at most."""
    short = replace(
        record,
        message=None,  # the violations say the same
        containers=fitting(record.containers, most // 4),
        violations=fitting(record.violations, most // 4),
        warnings=fitting(record.warnings, most // 4),
    )
    return msgspec.json.encode(short).decode()


def from_json(text: str | None) -> DecisionRecord | None:
    """Return the record that a text is, None for any other text."""
    return decoded(text, DecisionRecord) if text and text.startswith("{") else None


def to_status_causes(record: ShortRecord) -> tuple[dict[str, str], ...]:
    """Return the causes of a refusal as the StatusDetails of meta/v1 have them."""
    causes = record.violations
    return tuple({"reason": c.reason, "message": c.text, "field": c.field} for c in causes)


def from_status_causes(causes: Iterable[object]) -> tuple[Cause, ...]:
    """Return the causes of a Status: objects with `reason`, `message` and `field`."""
    return tuple(msgspec.convert(each, Cause, from_attributes=True) for each in causes)


def to_audit_annotations(request: AdmissionRequest, record: DecisionRecord) -> dict[str, str]:
    """Return the annotations of the API server's audit event, which are strings."""
    facts: dict[str, str | None] = {
        "reason": record.reason,
        "mode": request.mode.value,
        "workload": record.workload,
        "tenant": record.tenant,
        "strategy": record.strategy,
        "from": ",".join(_amount(each.name, each.requested) for each in record.containers),
        "to": ",".join(_amount(each.name, each.given) for each in record.containers if each.given),
        "decision": record.message,
    }
    return {key: value for key, value in facts.items() if value}


def _amount(name: str, amount: dict[str, int]) -> str:
    return ",".join(f"{name}={resource}:{count}" for resource, count in amount.items())


def to_log_line(request: AdmissionRequest, record: ShortRecord) -> dict[str, object]:
    """Return the fields of a review's log line, each cut to Kubernetes' length."""
    owner = controller(request.pod) if request.pod else None
    return {
        "uid": request.uid[:LABEL_LENGTH],
        "side": request.side,
        "operation": request.operation[:LABEL_LENGTH],
        "namespace": request.namespace[:LABEL_LENGTH],
        "owner_kind": owner.kind[:LABEL_LENGTH] if owner else "Pod",
        "owner": (owner.name if owner else _pod_name(request))[:NAME_LENGTH],
        "user": request.user[:NAME_LENGTH],
        "workload": record.workload,
        "tenant": record.tenant,
        "strategy": record.strategy,
        "allowed": record.allowed,
        "reason": record.reason,
        "message": record.message,
        "mode": request.mode,
        "dryRun": request.dry_run,
        "containers": record.containers,
        "violations": record.violations,
    }


def from_log_line(text: bytes) -> LogLine | None:
    """Return the review in a line of the log, None for another line."""
    found = decoded(text, LogLine, most=len(text))
    return found if found is not None and found.event == "review" else None


def _pod_name(request: AdmissionRequest) -> str:
    """The pod's name. At CREATE it may still have to be generated."""
    metadata = (request.pod.metadata if request.pod else None) or Metadata()
    return request.name or metadata.name or metadata.generate_name or ""


def fitting(items: Iterable[_T], most: int = MOST_WRITTEN) -> tuple[_T, ...]:
    """Return the first of some items, as many as fit into the bytes."""
    kept, left = [], most
    for item in items:
        left -= len(msgspec.json.encode(item))
        if left < 0:
            break
        kept.append(item)
    return tuple(kept)


def decoded(text: str | bytes | None, shape: type[_T], most: int = MOST_READ) -> _T | None:
    """Return a JSON text as a value, None where it is too long or another."""
    if text is None or len(text) > most:
        return None
    try:
        return msgspec.json.decode(text, type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
