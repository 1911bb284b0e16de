"""AdmissionReview bytes <-> values (admission.k8s.io/v1); no HTTP, no decision."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from webhook.core.admit import Verdict
from webhook.core.model import Mode, Request, Side
from webhook.core.pod import Pod

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
FORBIDDEN: Final = 403

_T = TypeVar("_T")
Labels = Callable[[str], Mapping[str, str]]
"""Namespace name -> its labels."""


class BadReview(ValueError):  # noqa: N818 - the word of the house for what cannot be decoded
    """The body is no AdmissionReview that we read; the message says what, where, and what is."""


class _Part(Struct, frozen=True, rename="camel"):
    """Only what is read."""


class _Kind(_Part, frozen=True):
    group: str = ""
    version: str = ""
    kind: str = ""


class _User(_Part, frozen=True):
    username: str = ""


class _Request(_Part, frozen=True):
    uid: str
    operation: str
    kind: _Kind = field(default_factory=_Kind)
    namespace: str = ""
    name: str = ""
    sub_resource: str = ""
    user_info: _User = field(default_factory=_User)
    dry_run: bool | None = None
    object: msgspec.Raw = msgspec.Raw(b"null")
    old_object: msgspec.Raw = msgspec.Raw(b"null")


class _Review(_Part, frozen=True):
    api_version: str
    kind: str
    request: _Request | None = None


_REVIEW: Final = msgspec.json.Decoder(_Review)
_POD: Final = msgspec.json.Decoder(Pod | None)
_ENCODER: Final = msgspec.json.Encoder()


class _Status(Struct, frozen=True):
    code: int
    reason: str
    message: str


class _Response(Struct, frozen=True, rename="camel", omit_defaults=True):
    uid: str
    allowed: bool
    status: _Status | None = None
    patch_type: str | None = None
    patch: bytes | None = None  # msgspec writes bytes as base64, as the API server wants it
    warnings: tuple[str, ...] = ()
    audit_annotations: dict[str, str] = {}


class _Answer(Struct, frozen=True, rename="camel"):
    response: _Response
    api_version: str = API_VERSION
    kind: str = KIND


def decode(body: bytes, side: Side, mode: Mode, labels: Labels) -> Request:
    """Return the question in an AdmissionReview.

    An object that is not a v1 Pod is left undecoded: the answer will be `allowed`, untouched.

    Raises:
        BadReview: not JSON, not an AdmissionReview of v1, or a wrong type at a path.

    """
    review = _read(_REVIEW, body, "")
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        got = f"{review.kind[:63]!r} of {review.api_version[:63]!r}"
        raise BadReview(f"expected {KIND} of {API_VERSION}, got {got}")
    asked = review.request
    if asked is None:
        raise BadReview("expected `object`, got nothing - at `$.request`")
    pod = (asked.kind.group, asked.kind.version, asked.kind.kind) == ("", "v1", "Pod")
    return Request(
        side=side,
        mode=mode,
        uid=asked.uid,
        operation=asked.operation,
        namespace=asked.namespace,
        name=asked.name,
        user=asked.user_info.username,
        subresource=asked.sub_resource,
        dry_run=asked.dry_run or False,
        pod=_read(_POD, asked.object, ".request.object") if pod else None,
        old_pod=_read(_POD, asked.old_object, ".request.oldObject") if pod else None,
        namespace_labels=labels(asked.namespace) if pod else {},
    )


def _read(decoder: msgspec.json.Decoder[_T], body: bytes | msgspec.Raw, where: str) -> _T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        text = str(error) if "`$" in str(error) else f"{error} - at `$`"
        raise BadReview(text.replace("`$", f"`${where}")) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadReview(f"not JSON: {error}") from None
    except RecursionError:
        raise BadReview("nested too deeply") from None


def encode(request: Request, verdict: Verdict) -> bytes:
    """Return the answer. A refusal is no failure: it says `allowed: false` and why."""
    refused = _Status(FORBIDDEN, "Forbidden", verdict.message)
    patch = _ENCODER.encode(verdict.patch) if verdict.patch else None
    response = _Response(
        uid=request.uid,
        allowed=verdict.allowed,
        status=None if verdict.allowed else refused,
        patch_type="JSONPatch" if patch else None,
        patch=patch,
        warnings=verdict.warnings,
        audit_annotations=_audit_annotations(request, verdict),
    )
    return _ENCODER.encode(_Answer(response))


def _audit_annotations(request: Request, verdict: Verdict) -> dict[str, str]:
    """The decision in the API server's audit log, as `<webhook name>/<key>`; values are strings."""
    facts: dict[str, Any] = {
        "reason": verdict.reason.value,
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
