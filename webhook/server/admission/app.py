"""The WSGI callable of the review endpoints: small, without I/O or threads; decides nothing.

Everything else (probes, unknown paths) goes to the Flask app behind it: a review must not pay
for a framework, and any WSGI server may run this in line.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webhook.core.admit import admit
from webhook.core.api.admission import Mode, Side
from webhook.server import sources
from webhook.server.admission import advise
from webhook.server.admission import decode as review
from webhook.server.admission import encode as response
from webhook.server.admission.error_boundary import Answer, Failure, Trail, named
from webhook.server.sources import Sources

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


Endpoint = Callable[[bytes], Answer]


def create_reviews(
    known: Sources, trail: Trail, fallback: WSGIApplication, page: str = ""
) -> WSGIApplication:
    """Return the WSGI callable; `page` explains the reasons to people, empty for none.

    | request | answer |
    |---|---|
    | POST of an AdmissionReview to one of ROUTES or to /advise | 200 with the review's answer |
    | another method there | 405 |
    | another content type | 415 |
    | over MAX_BODY | 413 |
    | not JSON, not an AdmissionReview of v1, a wrong type inside | 400 with path and expectation |
    | before policy, inventory or namespace are known | 503, so that failurePolicy decides |
    | anything unforeseen | 500 that names the uid |
    """
    endpoints: dict[str, Endpoint] = {
        **{path: partial(_decided, route, known, page) for path, route in ROUTES.items()},
        advise.PATH: partial(advise.answer, known, page),
    }

    def reviews(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        endpoint = endpoints.get(environ["PATH_INFO"])
        if endpoint is None:
            return fallback(environ, start_response)
        started = perf_counter()
        try:
            answer = _answered(endpoint, environ)
        except Failure as failure:
            body = failure.text.encode()
            status, text = failure.status, failure.text
            _start(start_response, status, body, "text/plain; charset=utf-8")
            return _Sent(body, lambda: trail.failed(status, text))
        took = perf_counter() - started
        _start(start_response, "200 OK", answer.body, _JSON)
        return _Sent(answer.body, lambda: answer.tell(trail, took))

    return reviews


def _answered(endpoint: Endpoint, environ: WSGIEnvironment) -> Answer:
    try:
        return endpoint(_body(environ))
    except review.BadReview as error:
        raise Failure("400 Bad Request", str(error)) from None


def _body(environ: WSGIEnvironment) -> bytes:
    if environ["REQUEST_METHOD"] != "POST":
        raise Failure("405 Method Not Allowed", "send a POST with an AdmissionReview")
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise Failure("415 Unsupported Media Type", f"expected {_JSON}, got {kind[:63]!r}")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BODY:
        raise Failure("413 Content Too Large", f"a review has at most {MAX_BODY} bytes")
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _decided(route: tuple[Side, Mode], known: Sources, page: str, body: bytes) -> Answer:
    request = review.decode(body, *route, partial(sources.labels, known))
    inventory = sources.offered(known)
    with named(request.uid):
        verdict = admit(request, known.policy(), inventory)
        said = response.encode(request, verdict, page)
    return Answer(said, lambda trail, seconds: trail.reviewed(request, verdict, seconds))


def _start(start_response: StartResponse, status: str, body: bytes, kind: str) -> None:
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])


class _Sent:
    """A response body; the server calls `close` once it is sent (PEP 3333): time to observe."""

    def __init__(self, body: bytes, then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    def close(self) -> None:
        self._then()
