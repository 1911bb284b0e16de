"""The body of a review: a POST of JSON by somebody who may ask."""

from typing import Final

from webhook.server.admission.error_boundary import ReviewError
from webhook.server.http.messages import HttpRequest

JSON: Final = "application/json"


def read_body(request: HttpRequest, callers: frozenset[str] = frozenset()) -> bytes:
    """Return the body of a request.

    Raises:
        ReviewError: another method or content type, or none of the callers, if there are any.
    """
    if callers and not callers & request.client:
        expected = "expected a certificate that --client-ca verifies and --client-name names"
        raise ReviewError("403 Forbidden", expected)
    if request.method != "POST":
        raise ReviewError("405 Method Not Allowed", "send a POST with an AdmissionReview")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise ReviewError("415 Unsupported Media Type", f"expected {JSON}, got {kind[:63]!r}")
    return request.body
