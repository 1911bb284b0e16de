"""The body of a review: a POST of JSON of a size that reviews have."""

from typing import Final

from webhook.server.admission.error_boundary import ReviewError
from webhook.server.http.messages import HttpRequest

# An UPDATE carries the old and the new object of at most 3 MiB each, and some envelope
# (apiserver MaxRequestBodyBytes; controller-runtime pkg/webhook/admission/http.go).
MAX_BODY: Final = 7 * 1024 * 1024
JSON: Final = "application/json"


def read_body(request: HttpRequest) -> bytes:
    """Return the body of a request.

    Raises:
        ReviewError: another method or content type, or too large.
    """
    if request.method != "POST":
        raise ReviewError("405 Method Not Allowed", "send a POST with an AdmissionReview")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise ReviewError("415 Unsupported Media Type", f"expected {JSON}, got {kind[:63]!r}")
    if len(request.body) > MAX_BODY:
        raise ReviewError("413 Content Too Large", f"a review has at most {MAX_BODY} bytes")
    return request.body
