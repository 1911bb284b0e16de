"""Verdict -> AdmissionReview bytes: allowed or why not, patch, warnings, audit annotations."""

from typing import Final

import msgspec
from msgspec import Struct

from webhook.core import record
from webhook.core.api import names, pod
from webhook.core.api.admission import AdmissionRequest, Side
from webhook.core.api.reason import Reason, link, printable, with_link
from webhook.core.verdict import Verdict
from webhook.server.admission.decode import API_VERSION, KIND

FORBIDDEN: Final = 403
INVALID: Final = 422

_ENCODER: Final = msgspec.json.Encoder()
_HEAD: Final = b'{"response":{"uid":'


class _StatusDetails(Struct, frozen=True):
    """The details of a Status, which the API server passes on unchanged."""

    causes: tuple[dict[str, str], ...]


class _RefusalStatus(Struct, frozen=True):
    code: int
    reason: str
    message: str
    details: _StatusDetails


class _AdmissionResponse(Struct, frozen=True, rename="camel", omit_defaults=True):
    uid: str
    allowed: bool
    status: _RefusalStatus | None = None
    patch_type: str | None = None
    patch: bytes | None = None  # msgspec writes bytes as base64, as the API server wants it
    warnings: tuple[str, ...] = ()
    audit_annotations: dict[str, str] = {}


class _ReviewOut(Struct, frozen=True, rename="camel"):
    response: _AdmissionResponse
    api_version: str = API_VERSION
    kind: str = KIND


def encode(request: AdmissionRequest, verdict: Verdict, page: str = "") -> bytes:
    """Return the answer. A refusal is no failure: it says `allowed: false` and why.

    `page` explains the reasons; empty for none. Who is told something gets one link to it.
    """
    patch = _ENCODER.encode(verdict.patch) if verdict.patch else None
    response = _AdmissionResponse(
        uid=request.uid,
        allowed=verdict.allowed,
        status=None if verdict.allowed else _refused(verdict, page),
        patch_type="JSONPatch" if patch else None,
        patch=patch,
        warnings=_warnings(request, verdict, page),
        audit_annotations=record.to_audit_annotations(request, verdict.record),
    )
    return _ENCODER.encode(_ReviewOut(response))


def encode_rest(request: AdmissionRequest, verdict: Verdict, page: str) -> bytes:
    """Return the answer after its uid, to a request without one."""
    return encode(request, verdict, page)[len(_HEAD + b'""') :]


def with_uid(uid: str, rest: bytes) -> bytes:
    """Return the answer to a request with this uid."""
    return b"".join((_HEAD, _ENCODER.encode(uid), rest))


def _refused(verdict: Verdict, page: str) -> _RefusalStatus:
    message = with_link(verdict.message, verdict.reason, page) if page else verdict.message
    causes = record.to_status_causes(verdict.short_record)
    return _RefusalStatus(FORBIDDEN, "Forbidden", message, _StatusDetails(causes))


def _warnings(request: AdmissionRequest, verdict: Verdict, page: str) -> tuple[str, ...]:
    """The warnings for people, or the record for a dry run that asks."""
    explain = request.pod is not None and names.EXPLAIN in pod.annotations(request.pod)
    if explain and request.dry_run:
        first = request.side is Side.MUTATE
        return (record.to_json(verdict.record, record.MOST_WARNED),) if first else ()
    warnings = verdict.shown_warnings
    if not (verdict.allowed and warnings):  # a refusal has its link already
        return warnings
    by_check = bool(verdict.warned) and not verdict.audit_warnings
    return (*warnings, *see(verdict.warned[0] if by_check else verdict.reason, page))


def warn(uid: str, warnings: tuple[str, ...]) -> bytes:
    """Return an answer that only warns."""
    shown = tuple(map(printable, warnings))
    return _ENCODER.encode(_ReviewOut(_AdmissionResponse(uid, allowed=True, warnings=shown)))


def refuse(uid: str, message: str) -> bytes:
    """Return an answer that refuses an object which is no pod, and says why."""
    shown = printable(message, besides="\n")
    status = _RefusalStatus(INVALID, "Invalid", shown, _StatusDetails(()))
    return _ENCODER.encode(_ReviewOut(_AdmissionResponse(uid, allowed=False, status=status)))


def see(reason: Reason, page: str) -> tuple[str, ...]:
    """Where to read of a reason, for people. Nothing where no page is known."""
    return (f"see {link(reason, page)}",) if page else ()
