"""A head that was parsed before is read as the parser reads it, whatever came before."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook.server.http.head import Refusal
from webhook.server.http.known_heads import LARGEST, MOST, KnownHeads, SplitHead
from webhook.server.http.messages import HttpRequest
from webhook.server.http.reader import RequestReader

MAX_HEAD, MAX_BODY = 4096, 64
STARTS = [
    "POST /mutate?timeout=10s HTTP/1.1",
    "GET / HTTP/1.1",
    "POST / HTTP/1.0",
    "PUT /%41 HTTP/1.1",
]
LINES = [
    *("Host: a", "Host: b", "host: a", "User-Agent: kube-apiserver-admission", "X_Y: 1"),
    *("Content-Length: {}", "content-length: {}", "Content-Length: 0{}", "Content-Length:  {}"),
    *(
        "Content-Length: 99",
        "Content-Length: 3",
        "X: Content-Length: 3",
        "Transfer-Encoding: chunked",
    ),
    *(
        "Expect: 100-continue",
        "Expect: tea",
        "Connection: close",
        "Connection: upgrade",
        "Upgrade: h2c",
    ),
    *(" folded", "A: b\nContent-Length: 5", "A: b\r", "Accept: application/json"),
]
USUAL = ["POST /mutate HTTP/1.1", "Host: a", "Content-Length: {}", "Accept: */*"]
BODIES = [
    b"",
    b"x",
    b"{}",
    b"ab\r\n\r\ncd",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"x" * 70,
    b"GET / HTTP/1.1\r\n",
]


class Forgetful(KnownHeads):
    """Knows no head, so that the parser reads every one."""

    def find(self, split: SplitHead) -> HttpRequest | None:
        """Nothing."""
        return None


def written(lines: list[str], body: bytes, stated: int | None = None) -> bytes:
    """A request of these lines."""
    length = len(body) if stated is None else stated
    return "\r\n".join([*lines, "", ""]).replace("{}", str(length)).encode() + body


def read(reader: RequestReader, parts: Iterable[bytes]) -> list[object]:
    """What a reader gives for each part, with all that a connection looks at."""
    seen: list[object] = []
    for part in parts:
        reader.feed(memoryview(part))
        turns = [str(each) if isinstance(each, Refusal) else each for each in reader.ready]
        reader.ready.clear()
        seen.append((turns, reader.phase, reader.held, reader.started))
    return seen


def cuts(data: bytes, at: list[int]) -> list[bytes]:
    """Bytes in parts."""
    places = [0, *sorted(each % (len(data) + 1) for each in at), len(data)]
    return [data[a:b] for a, b in pairwise(places) if a < b]


heads = st.one_of(
    st.just(USUAL),
    st.lists(st.sampled_from(LINES), max_size=2).map(lambda lines: [*USUAL, *lines]),
    st.builds(
        lambda start, lines: [start, *lines],
        st.sampled_from(STARTS),
        st.lists(st.sampled_from(LINES), min_size=1, max_size=5),
    ),
)
stated = st.one_of(st.none(), st.integers(0, 80))
"""The length that a head tells, its body's or another."""


@st.composite
def connections(draw: st.DrawFn) -> list[list[bytes]]:
    """What arrives at once on each of some connections: requests alone, together, or in pieces."""
    of = st.sampled_from(draw(st.lists(heads, min_size=1, max_size=2)))
    request = st.builds(written, of, st.sampled_from(BODIES), stated)
    found = []
    for _ in range(draw(st.integers(2, 4))):
        sent = draw(st.lists(request, min_size=1, max_size=4))
        at = draw(st.one_of(st.none(), st.lists(st.integers(0, 600), max_size=4)))
        found.append(sent if at is None else cuts(b"".join(sent), at))
    return found


@settings(max_examples=300)
@given(connections())
def test_connections_read_the_same_with_and_without_known_heads(sent: list[list[bytes]]) -> None:
    known = KnownHeads()
    for parts in sent:
        ours = read(RequestReader(MAX_HEAD, MAX_BODY, frozenset("a"), known), parts)
        assert ours == read(RequestReader(MAX_HEAD, MAX_BODY, frozenset("a"), Forgetful()), parts)


def test_a_head_is_known_whatever_its_length() -> None:
    known = KnownHeads()
    for size in range(1, 40):
        read(RequestReader(MAX_HEAD, MAX_BODY, known=known), [written(USUAL, b"x" * size)])
    assert len(known) == 1


@pytest.mark.parametrize(
    "line", ["Connection: close", "Expect: 100-continue", "X: " + "a" * LARGEST]
)
def test_a_head_that_is_not_usual_is_not_kept(line: str) -> None:
    known = KnownHeads()
    read(RequestReader(MAX_HEAD, MAX_BODY, known=known), [written([*USUAL, line], b"{}")])
    assert len(known) == 0


def test_the_head_of_the_first_of_two_requests_is_not_taken_for_the_second() -> None:
    known, other = KnownHeads(), ["PUT /other HTTP/1.1", *USUAL[1:]]
    both = written(USUAL, b"1") + written(other, b"2")
    [(first, *_), (second, *_)] = read(
        RequestReader(MAX_HEAD, MAX_BODY, known=known), [both, written(USUAL, b"1")]
    )
    assert [each.path for each in (*first, *second)] == ["/mutate", "/other", "/mutate"]


def test_few_heads_are_kept() -> None:
    known = KnownHeads()
    for number in range(3 * MOST):
        lines = [*USUAL, f"Traceparent: {number}"]
        read(RequestReader(MAX_HEAD, MAX_BODY, known=known), [written(lines, b"{}")])
        assert len(known) <= MOST


def test_a_known_head_does_not_let_a_larger_body_in() -> None:
    known = KnownHeads()
    read(RequestReader(MAX_HEAD, MAX_BODY, known=known), [written(USUAL, b"{}")])
    reader = RequestReader(MAX_HEAD, MAX_BODY, known=known)
    [[turns, *_]] = read(reader, [written(USUAL, b"x" * (MAX_BODY + 1))])
    assert turns == ["413 Content Too Large: a body may have 64 bytes"]
