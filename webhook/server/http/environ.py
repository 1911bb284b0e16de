"""What an application sees of a request (PEP 3333), and what it never sees; reads no bytes."""

import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import parse_url

Environ = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer to the client more than an error of ours
    """A request that never reaches the application, with the status line that answers it."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


def base_environ(scheme: str) -> Environ:
    """Give the entries that all requests to one listener share."""
    return {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,  # reading to the end of wsgi.input is safe
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


@lru_cache(maxsize=256)
def environ_key(name: bytes) -> str | None:
    """Name the environ's entry of a header; None for a header that is not passed on.

    `a_b` would be taken for `a-b`, and `Proxy` for the variable of the environment.
    """
    if b"_" in name or name.lower() == b"proxy":
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


def target_entries(target: bytes) -> tuple[str, str]:
    """Split a request target into PATH_INFO (decoded, as latin-1) and QUERY_STRING.

    Raises httptools.HttpParserInvalidURLError for a target that is no URL.
    """
    if not target.startswith(b"/") or b"#" in target:
        url = parse_url(target)
        path, query = url.path or b"/", url.query or b""
    else:
        path, _, query = target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("latin-1"), query.decode("latin-1")


def check_head(environ: Environ, max_body: int) -> None:
    """Raise Refusal for a head that HTTP/1.1 forbids, or that announces too large a body."""
    version = environ["SERVER_PROTOCOL"]
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise Refusal("400 Bad Request", f"{version} is not spoken here")
    if version == "HTTP/1.1" and ("HTTP_HOST" not in environ or "," in environ["HTTP_HOST"]):
        raise Refusal("400 Bad Request", "exactly one Host header is expected")
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None and (coding.lower() != "chunked" or version == "HTTP/1.0"):
        raise Refusal("400 Bad Request", "the only Transfer-Encoding is chunked, in HTTP/1.1")
    if environ.get("HTTP_EXPECT", "100-continue").lower() != "100-continue":
        raise Refusal("417 Expectation Failed", "only 100-continue can be expected")
    if int(environ.get("CONTENT_LENGTH") or 0) > max_body:
        raise Refusal("413 Content Too Large", f"a body may have {max_body} bytes")
