"""The WSGI callable of the review endpoints: small, without I/O or threads; decides nothing.

Everything else (probes, unknown paths) goes to the Flask app behind it: a review must not pay
for a framework, and any WSGI server may run this in line.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webhook.core.admit import Verdict, admit
from webhook.core.model import Inventory, Mode, Request, Side
from webhook.core.policy import Policy
from webhook.server import review

# An UPDATE carries the old and the new object of at most 3 MiB each, and some envelope
# (apiserver MaxRequestBodyBytes; controller-runtime pkg/webhook/admission/http.go).
MAX_BODY: Final = 7 * 1024 * 1024
ROUTES: Final = {
    "/mutate": (Side.MUTATE, Mode.ENFORCE),
    "/validate": (Side.VALIDATE, Mode.ENFORCE),
    "/audit/mutate": (Side.MUTATE, Mode.AUDIT),
    "/audit/validate": (Side.VALIDATE, Mode.AUDIT),
}
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Trail:
    """Who is told, once the answer is sent.

    `reviewed` gets each review with the seconds that it took, `failed` the status and text of
    each answer that is no AdmissionReview.
    """

    reviewed: Callable[[Request, Verdict, float], None]
    failed: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a review finds its frozen snapshots; each call returns the newest.

    `namespace` returns None where a namespace's labels cannot be known now, `inventory` None
    before the nodes were seen.
    """

    policy: Callable[[], Policy]
    inventory: Callable[[], Inventory | None]
    namespace: Callable[[str], Mapping[str, str] | None]


class _Failure(Exception):  # noqa: N818 - an answer, as `Reply` would be
    """An answer that is no AdmissionReview: what the sender did wrong, or we."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def create_reviews(sources: Sources, trail: Trail, fallback: WSGIApplication) -> WSGIApplication:
    """Return the WSGI callable.

    | request | answer |
    |---|---|
    | POST of an AdmissionReview to one of ROUTES | 200 with the review's answer |
    | another method there | 405 |
    | another content type | 415 |
    | over MAX_BODY | 413 |
    | not JSON, not an AdmissionReview of v1, a wrong type inside | 400 with path and expectation |
    | before policy, inventory or namespace are known | 503, so that failurePolicy decides |
    | anything unforeseen | 500 that names the uid |
    """

    def reviews(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route = ROUTES.get(environ["PATH_INFO"])
        if route is None:
            return fallback(environ, start_response)
        started = perf_counter()
        try:
            request = _decode(environ, route, sources)
            return _answer(request, (sources, trail, started), start_response)
        except _Failure as failure:
            body = failure.text.encode()
            status, text = failure.status, failure.text
            _start(start_response, status, body, "text/plain; charset=utf-8")
            return _Answered(body, lambda: trail.failed(status, text))

    return reviews


def _decode(environ: WSGIEnvironment, route: tuple[Side, Mode], sources: Sources) -> Request:
    body = _body(environ)
    side, mode = route

    def labels(namespace: str) -> Mapping[str, str]:
        found = sources.namespace(namespace)
        if found is None:
            raise _Failure("503 Service Unavailable", f"namespace {namespace!r}: labels unknown")
        return found

    try:
        return review.decode(body, side, mode, labels)
    except review.BadReview as error:
        raise _Failure("400 Bad Request", str(error)) from None


def _body(environ: WSGIEnvironment) -> bytes:
    if environ["REQUEST_METHOD"] != "POST":
        raise _Failure("405 Method Not Allowed", "send a POST with an AdmissionReview")
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise _Failure("415 Unsupported Media Type", f"expected {_JSON}, got {kind[:63]!r}")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BODY:
        raise _Failure("413 Content Too Large", f"a review has at most {MAX_BODY} bytes")
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _answer(
    request: Request, context: tuple[Sources, Trail, float], start_response: StartResponse
) -> Iterable[bytes]:
    sources, trail, started = context
    inventory = sources.inventory()
    if inventory is None:
        raise _Failure("503 Service Unavailable", "the nodes of the cluster are not known yet")
    try:
        verdict = admit(request, sources.policy(), inventory)
        body = review.encode(request, verdict)
    except Exception:
        logging.getLogger(__name__).exception("review failed", extra={"uid": request.uid})
        text = f"review {request.uid} failed; the log of the webhook has the cause"
        raise _Failure("500 Internal Server Error", text) from None
    took = perf_counter() - started
    _start(start_response, "200 OK", body, _JSON)
    return _Answered(body, lambda: trail.reviewed(request, verdict, took))


def _start(start_response: StartResponse, status: str, body: bytes, kind: str) -> None:
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])


class _Answered:
    """A response body; the server calls `close` once it is sent (PEP 3333): time to observe."""

    def __init__(self, body: bytes, then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    def close(self) -> None:
        self._then()
