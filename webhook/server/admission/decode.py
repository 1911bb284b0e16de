"""AdmissionReview bytes -> the question in them (admission.k8s.io/v1); no HTTP, no decision."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Pod

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"

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


class Question(_Part, frozen=True):
    """What is asked, with the objects still as bytes."""

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
    request: Question | None = None


_REVIEW: Final = msgspec.json.Decoder(_Review)
_POD: Final = msgspec.json.Decoder(Pod | None)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any] | None)


def decode(body: bytes, side: Side, mode: Mode, labels: Labels) -> AdmissionRequest:
    """Return the question in an AdmissionReview.

    An object that is not a v1 Pod is left undecoded: the answer will be `allowed`, untouched.

    Raises:
        BadReview: not JSON, not an AdmissionReview of v1, or a wrong type at a path.

    """
    asked = question(body)
    if (asked.kind.group, asked.kind.version, asked.kind.kind) != ("", "v1", "Pod"):
        return request(asked, (side, mode), {})
    new = _read(_POD, asked.object, ".request.object")
    old = _read(_POD, asked.old_object, ".request.oldObject")
    return request(asked, (side, mode), labels(asked.namespace), (new, old))


def question(body: bytes) -> Question:
    """Return what an AdmissionReview asks, whatever its object is.

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


def request(
    asked: Question,
    route: tuple[Side, Mode],
    namespace_labels: Mapping[str, str],
    pods: tuple[Pod | None, Pod | None] = (None, None),
) -> AdmissionRequest:
    """Return the question as the core reads it; `pods` are the new and the old one."""
    return AdmissionRequest(
        side=route[0],
        mode=route[1],
        uid=asked.uid,
        operation=asked.operation,
        namespace=asked.namespace,
        name=asked.name,
        user=asked.user_info.username,
        subresource=asked.sub_resource,
        dry_run=asked.dry_run or False,
        pod=pods[0],
        old_pod=pods[1],
        namespace_labels=namespace_labels,
    )


def subject(asked: Question) -> dict[str, Any] | None:
    """Return the object as plain values.

    Raises:
        BadReview: it is no JSON object.
    """
    found: dict[str, Any] | None = _read(_OBJECT, asked.object, ".request.object")
    return found


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
