"""AdmissionReview bytes -> the request in them (admission.k8s.io/v1)."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from webhook.core.api import limits
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Metadata, Pod
from webhook.server.admission.error_boundary import ReviewError

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"

_T = TypeVar("_T")


class BadReview(ReviewError):  # noqa: N818 - says what is bad
    """The body is no AdmissionReview that we read.

    The message has path and expectation.
    """

    def __init__(self, text: str) -> None:
        super().__init__("400 Bad Request", text)


class Route(Struct, frozen=True):
    """The side of a path, and the mode of the namespaces that call it."""

    side: Side
    mode: Mode


class Pods(Struct, frozen=True):
    """The new and the old pod of a review, without specs that are too large."""

    new: Pod | None = None
    old: Pod | None = None
    too_large: bool = False


class _ReviewPart(Struct, frozen=True, rename="camel"):
    """Only what is read."""


class _GroupVersionKind(_ReviewPart, frozen=True):
    group: str = ""
    version: str = ""
    kind: str = ""


class _UserInfo(_ReviewPart, frozen=True):
    username: str = ""


class ReviewRequest(_ReviewPart, frozen=True):
    """The request of a review, with its objects still as bytes."""

    uid: str
    operation: str
    kind: _GroupVersionKind = field(default_factory=_GroupVersionKind)
    namespace: str = ""
    name: str = ""
    sub_resource: str = ""
    user_info: _UserInfo = field(default_factory=_UserInfo)
    dry_run: bool | None = None
    object: msgspec.Raw = msgspec.Raw(b"null")
    old_object: msgspec.Raw = msgspec.Raw(b"null")


class _AdmissionReview(_ReviewPart, frozen=True):
    api_version: str
    kind: str
    request: ReviewRequest | None = None


class _Outline(_ReviewPart, frozen=True):
    """A pod whose parts are not decoded."""

    metadata: msgspec.Raw = msgspec.Raw(b"null")
    spec: msgspec.Raw = msgspec.Raw(b"null")


_REVIEW: Final = msgspec.json.Decoder(_AdmissionReview)
_POD: Final = msgspec.json.Decoder(Pod | None)
_OUTLINE: Final = msgspec.json.Decoder(_Outline | None)
_METADATA: Final = msgspec.json.Decoder(Metadata | None)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any] | None)


def decode_review(body: bytes) -> ReviewRequest:
    """Return the request in an AdmissionReview, whatever its object is.

    Raises:
        BadReview: not JSON, or not an AdmissionReview of v1.
    """
    review = _read(_REVIEW, body, "")
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        got = f"{review.kind[:63]!r} of {review.api_version[:63]!r}"
        raise BadReview(f"expected {KIND} of {API_VERSION}, got {got}")
    if review.request is None:
        raise BadReview("expected `object`, got nothing - at `$.request`")
    return review.request


def is_pod(asked: ReviewRequest) -> bool:
    """Whether the object of a request is a v1 Pod."""
    return (asked.kind.group, asked.kind.version, asked.kind.kind) == ("", "v1", "Pod")


def decode_pods(asked: ReviewRequest) -> Pods | None:
    """Return the pods of a request, None where its object is no v1 Pod.

    Such an object is left undecoded: the answer will be `allowed`, untouched.

    Raises:
        BadReview: a wrong type at a path.
    """
    if not is_pod(asked):
        return None
    if not all(map(limits.is_decoded, (asked.object, asked.old_object))):
        return _outlines(asked)
    new = _read(_POD, asked.object, ".request.object")
    return Pods(new, _read(_POD, asked.old_object, ".request.oldObject"))


def _outlines(asked: ReviewRequest) -> Pods:
    """Return pods with their metadata alone, which suffices where an update keeps the spec."""
    new = _read(_OUTLINE, asked.object, ".request.object") or _Outline()
    old = _read(_OUTLINE, asked.old_object, ".request.oldObject") or _Outline()
    metadata = (new.metadata, old.metadata)
    if not all(map(limits.is_decoded, metadata)):
        return Pods(Pod(), None, too_large=True)
    changed = bytes(new.spec) != bytes(old.spec)
    first, second = (Pod(_read(_METADATA, each, ".metadata")) for each in metadata)
    return Pods(first, second, changed)


def decode_object(asked: ReviewRequest) -> dict[str, Any] | None:
    """Return the object of a request as plain values.

    Raises:
        BadReview: it is no JSON object.
    """
    found: dict[str, Any] | None = _read(_OBJECT, asked.object, ".request.object")
    return found


def decode_old_object(asked: ReviewRequest) -> dict[str, Any] | None:
    """Return the object as it was before an update, None where it is new.

    Raises:
        BadReview: it is no JSON object.
    """
    found: dict[str, Any] | None = _read(_OBJECT, asked.old_object, ".request.oldObject")
    return found


def to_request(
    asked: ReviewRequest,
    route: Route,
    namespace_labels: Mapping[str, str],
    pods: Pods | None = None,
) -> AdmissionRequest:
    """Return the request as the core reads it."""
    found = pods or Pods()
    return AdmissionRequest(
        side=route.side,
        mode=route.mode,
        uid=asked.uid,
        operation=asked.operation,
        namespace=asked.namespace,
        name=asked.name,
        user=asked.user_info.username,
        subresource=asked.sub_resource,
        dry_run=asked.dry_run or False,
        pod=found.new,
        old_pod=found.old,
        namespace_labels=namespace_labels,
        too_large=found.too_large,
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
