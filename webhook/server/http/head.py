"""The head of a request: its target, its headers, and what HTTP/1.1 forbids in it."""

from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from httptools import parse_url

VERSIONS: Final = frozenset({"1.0", "1.1"})


class Refusal(Exception):  # noqa: N818 - an answer to the client more than an error of ours
    """A request that never reaches the application, with the status line that answers it."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


@lru_cache(maxsize=256)
def header_name(name: bytes) -> str | None:
    """Return a header's name in lower case, None for one that is dropped.

    In CGI's environment `a_b` would be taken for `a-b`, and `Proxy` for a variable of its own.
    """
    if b"_" in name or name.lower() == b"proxy":
        return None
    return name.decode("latin-1").lower()


def split_target(target: bytes) -> tuple[str, str]:
    """Return the decoded path and the query of a request target, as latin-1.

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


def check_head(version: str, headers: dict[str, str], max_body: int) -> None:
    """Raise Refusal for a head that HTTP forbids, or that announces too large a body."""
    if version not in VERSIONS:
        raise Refusal("400 Bad Request", f"HTTP/{version} is not spoken here")
    if version == "1.1" and ("host" not in headers or "," in headers["host"]):
        raise Refusal("400 Bad Request", "exactly one Host header is expected")
    coding = headers.get("transfer-encoding")
    if coding is not None and (coding.lower() != "chunked" or version == "1.0"):
        raise Refusal("400 Bad Request", "the only Transfer-Encoding is chunked, in HTTP/1.1")
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise Refusal("417 Expectation Failed", "only 100-continue can be expected")
    if int(headers.get("content-length") or 0) > max_body:
        raise Refusal("413 Content Too Large", f"a body may have {max_body} bytes")
