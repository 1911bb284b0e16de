"""The heads of requests that were parsed before.

The API server sends the same ones again, and the parser takes a tenth of a review's time.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from webhook.server.http.messages import HttpRequest

MOST: Final = 64
LARGEST: Final = 2048
"""Bytes of a head that is kept; the API server's have 230."""
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\nContent-Length: "
_KEY: Final = "content-length"
_FRAMING: Final = frozenset({_KEY, "transfer-encoding", "expect"})


class SplitHead(Struct, frozen=True):
    """Bytes from a request's first one on.

    `around` is the head before and after the digits of its length, `rest` what follows the head.
    """

    around: tuple[bytes, bytes]
    length: int
    rest: bytes


def split_head(data: bytes) -> SplitHead | None:
    """Split bytes behind a head.

    None for one that has no end here, no length, or is large.
    """
    head, end, rest = data.partition(_END)
    if not end or len(head) > LARGEST:
        return None
    before, _, after = head.partition(_LENGTH)
    digits, line, others = after.partition(b"\r\n")
    return SplitHead((before, line + others), int(digits), rest) if digits.isdigit() else None


class KnownHeads:
    """What the parser made of heads, by all that is in them but the length.

    Each is a request without body and client. The parser's rules are the same whatever the length:
    a head with another framing, or one that the client waits for, is not kept.
    """

    def __init__(self) -> None:
        self._heads: dict[tuple[bytes, bytes], HttpRequest] = {}

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, split: SplitHead) -> HttpRequest | None:
        """Return the head that was kept, with its own length."""
        known = self._heads.get(split.around)
        if known is None:
            return None
        return replace(known, headers={**known.headers, _KEY: str(split.length)})

    def keep(self, split: SplitHead, head: HttpRequest) -> None:
        """Keep what the parser made of a head."""
        if head.headers.keys() & _FRAMING == {_KEY}:
            if len(self._heads) >= MOST:
                self._heads.clear()
            self._heads[split.around] = head
