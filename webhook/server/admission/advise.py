"""/advise: an object that makes pods -> warnings of what becomes of them; always allowed."""

from collections.abc import Mapping
from typing import Any, Final

from webhook.core import advice
from webhook.core.advice import Advice
from webhook.core.api.admission import AdmissionRequest, Side
from webhook.core.simulate import mode_of
from webhook.server import sources
from webhook.server.admission import decode, encode
from webhook.server.admission.decode import Question
from webhook.server.admission.error_boundary import Advised, Answer, named
from webhook.server.sources import Sources

PATH: Final = "/advise"
_LARGEST: Final = 1024 * 1024  # bytes of an object; etcd takes little more
_TOO_LARGE: Final = Advice(
    warnings=(f"over {_LARGEST} bytes: which GPUs the pods of this object get was not reviewed",)
)


def answer(known: Sources, page: str, body: bytes) -> Answer:
    """Answer a review of an object of any kind.

    | request | answer, always allowed |
    |---|---|
    | CREATE or UPDATE of an object | the warnings of `core.advice` |
    | the same, over _LARGEST | one warning |
    | another operation, or no object | no warning |

    Raises:
        BadReview: the body cannot be decoded.
        Failure: namespace or nodes are not known, or anything unforeseen.
    """
    asked = decode.question(body)
    subject = _subject(asked)
    labels = sources.labels(known, asked.namespace) if asked.namespace else {}
    request = decode.request(asked, (Side.MUTATE, mode_of(labels)), labels)
    inventory = sources.offered(known)
    with named(asked.uid):
        found = _TOO_LARGE if len(asked.object) > _LARGEST else Advice()
        if subject is not None:
            found = advice.advise(request, subject, known.policy(), inventory)
        told = Advised(request, asked.kind.kind, _name(request, subject or {}), found)
        said = encode.warn(asked.uid, _texts(found, page))
    return Answer(said, lambda trail, seconds: trail.advised(told, seconds))


def _subject(asked: Question) -> Mapping[str, Any] | None:
    if asked.operation not in ("CREATE", "UPDATE") or len(asked.object) > _LARGEST:
        return None
    return decode.subject(asked)


def _texts(found: Advice, page: str) -> tuple[str, ...]:
    """The warnings, and where the first reason of them is explained."""
    return (*found.warnings, *(encode.see(found.reasons[0], page) if found.reasons else ()))


def _name(request: AdmissionRequest, subject: Mapping[str, Any]) -> str:
    """The object's name; at CREATE it may still have to be generated."""
    metadata = subject.get("metadata")
    generated = metadata.get("generateName") if isinstance(metadata, Mapping) else None
    return request.name or (generated if isinstance(generated, str) else "")
