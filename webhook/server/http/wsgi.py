"""Serves a WSGI application (PEP 3333) as a handler.

It is for what is no review, such as probes.
"""

import sys
from collections.abc import Callable
from io import BytesIO
from types import TracebackType
from typing import Any
from wsgiref.types import WSGIApplication

from webhook.server.http.messages import Handler, Headers, HttpRequest, HttpResponse

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class StartResponse:
    """The `start_response` of one request, which keeps its arguments."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []
        self.written: list[bytes] = []

    def __call__(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """Take status and headers, a second time only to replace them by an error's."""
        if self.status and exc_info is None:
            raise RuntimeError("start_response was called twice")
        self.status, self.headers = status, headers
        return self.written.append


def wsgi_handler(app: WSGIApplication) -> Handler:
    """Return a handler that calls the application in line.

    It raises what the application raises.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        start = StartResponse()
        result = app(_environ(request), start)
        done: Callable[[], object] | None = getattr(result, "close", None)
        try:
            body = b"".join(result)
        except BaseException:
            if done is not None:
                done()
            raise
        return HttpResponse(start.status, start.headers, b"".join([*start.written, body]), done)

    return handle


def _environ(request: HttpRequest) -> dict[str, Any]:
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in request.headers.items()
        if name not in ("content-type", "content-length", "transfer-encoding")
    }
    host, _, port = request.headers.get("host", "").rpartition(":")
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        # The application sees a body of known length, however it came.
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,  # reading to the end of wsgi.input is safe
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
