"""Verdict -> AdmissionReview bytes: allowed or why not, patch, warnings, audit annotations."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from webhook.core.admit import Verdict
from webhook.core.api.model import Request
from webhook.core.api.reason import Reason, link, with_link
from webhook.core.checks.registry import parse_code
from webhook.server.admission.decode import API_VERSION, KIND

FORBIDDEN: Final = 403

_ENCODER: Final = msgspec.json.Encoder()


class _RefusalStatus(Struct, frozen=True):
    code: int
    reason: str
    message: str


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


def encode(request: Request, verdict: Verdict, page: str = "") -> bytes:
    """Return the answer. A refusal is no failure: it says `allowed: false` and why.

    `page` explains the reasons; empty for none. Who is told something gets one link to it.
    """
    patch = _ENCODER.encode(verdict.patch) if verdict.patch else None
    warned = verdict.allowed and verdict.warnings  # a refusal has its link already
    response = _AdmissionResponse(
        uid=request.uid,
        allowed=verdict.allowed,
        status=None if verdict.allowed else _refused(verdict, page),
        patch_type="JSONPatch" if patch else None,
        patch=patch,
        warnings=(*verdict.warnings, *(see(_warned_of(verdict), page) if warned else ())),
        audit_annotations=_audit_annotations(request, verdict),
    )
    return _ENCODER.encode(_ReviewOut(response))


def _refused(verdict: Verdict, page: str) -> _RefusalStatus:
    message = with_link(verdict.message, verdict.reason, page) if page else verdict.message
    return _RefusalStatus(FORBIDDEN, "Forbidden", message)


def warn(uid: str, warnings: tuple[str, ...]) -> bytes:
    """Return an answer that only warns."""
    return _ENCODER.encode(_ReviewOut(_AdmissionResponse(uid, allowed=True, warnings=warnings)))


def see(reason: Reason, page: str) -> tuple[str, ...]:
    """Where to read of a reason, for people; nothing where no page is known."""
    return (f"see {link(reason, page)}",) if page else ()


def _warned_of(verdict: Verdict) -> Reason:
    """The reason that the first warning names: what a guard warns of is not why a pod is let in."""
    return parse_code(verdict.warnings[0]) or verdict.reason


def _audit_annotations(request: Request, verdict: Verdict) -> dict[str, str]:
    """The decision in the API server's audit log, as `<webhook name>/<key>`; values are strings."""
    facts: dict[str, Any] = {
        "reason": verdict.reason.code,
        "mode": request.mode.value,
        "workload": verdict.workload.value if verdict.workload else None,
        "tenant": verdict.tenant,
        "strategy": verdict.strategy,
        "from": moves(verdict)[0],
        "to": moves(verdict)[1],
        "decision": None if verdict.would_allow else verdict.message,
    }
    return {key: value for key, value in facts.items() if value}


def moves(verdict: Verdict) -> tuple[str, str]:
    """What was asked and what is given, for logs: `main=nvidia.com/gpu:1` for each container."""
    asked = (f"{ask.place.name}={ask.resource}:{ask.count}" for ask in verdict.asks)
    given = (f"{g.ask.place.name}={g.offer.resource}:{g.ask.count}" for g in verdict.given)
    return ",".join(asked), ",".join(given)
