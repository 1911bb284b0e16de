"""Bytes that nobody would send, to every door: no crash, no 5xx, no long work.

`python -m bench.fuzz --count 1000000 --seed 1` changes reviews, policies and requests of our tests
at random, as often, and stops at the first that ends in anything but an answer or a refusal. It
writes that to a file. The same seed gives the same inputs.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/core")]

import casefiles  # noqa: E402 - as the tests import it
from test_memo import POD, Server, envelope  # noqa: E402

from webhook.core.policy.load import PolicyError, parse_policy  # noqa: E402
from webhook.server.http.reader import RequestReader  # noqa: E402

MOST_SECONDS = 2.0
"""A review takes 0.2 s at most; the cores of the machine may be busy."""
PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"0", b"-1", b"1e99", b"\\u0000", b"\xff"),
    *(b"\xed\xa0\x80", b"true", b'"nvidia.com/gpu":"1"', b"gpu-sharing.io/", b"\r\n\r\n", b"\n"),
    *(b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n", b"&a *a", b"- ", b"!!python/x"),
)
Door = Callable[[bytes], None]


def changed(seed: bytes, chance: random.Random) -> bytes:
    """A seed with one to six changes: bytes, pieces, parts that are cut out or repeated."""
    made = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(made) + 1)
        end = min(len(made), start + chance.choice((0, 1, 1, 4, 40)))
        part = bytes(made[start:end])
        kinds = (b"", chance.choice(PIECES), part * 3, bytes([chance.randrange(256)]))
        made[start:end] = chance.choice(kinds)
    return bytes(made)


def doors() -> dict[str, tuple[list[bytes], Door]]:
    """What each door is sent in its right form, and the door."""
    server = Server()
    cases = [casefiles.read(path) for path in list(casefiles.paths())[::9]]
    pods = [POD, *(case["pod"] for case in cases if "pod" in case)]
    template = {"spec": {"template": POD}, "apiVersion": "apps/v1", "kind": "Deployment"}
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    reviews = [envelope(pod) for pod in pods]
    head = {"apiVersion": "gpu-sharing.io/v1", "kind": "Policy"}
    policies = [json.dumps(head | each.get("policy", {})).encode() for each in cases]

    def review(path: str) -> Door:
        def send(body: bytes) -> None:
            answer = server.answer(path, body)
            assert answer.status[:3] in ("200", "400"), answer

        return send

    def policy(text: bytes) -> None:
        with contextlib.suppress(PolicyError):
            parse_policy(text.decode(errors="replace"), casefiles.DEFAULT_POLICY)

    def http(data: bytes) -> None:
        RequestReader(32 * 1024, 64 * 1024).feed(data)

    request = b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    return {
        "/mutate": (reviews, review("/mutate")),
        "/validate": (reviews, review("/validate")),
        "/advise": ([envelope(template, kind=kind)], review("/advise")),
        "policy": (policies, policy),
        "HTTP": ([request, request.replace(b"Content-Length: 2", b"A: b")], http),
    }


def run(count: int, seed: int) -> dict[str, Any]:
    """Send so many inputs to each door, and return the longest seconds of each.

    Raises:
        SystemExit: one was answered wrongly, with the file that has it.
    """
    longest: dict[str, Any] = {}
    for name, (seeds, door) in doors().items():
        chance = random.Random(seed)  # noqa: S311 - the same each time is what is wanted
        for _ in range(count):
            sent = changed(chance.choice(seeds), chance)
            began = time.process_time()
            try:
                door(sent)
                took = time.process_time() - began
                assert took < MOST_SECONDS, f"{took:.1f} s"
            except Exception as error:
                with tempfile.NamedTemporaryFile(prefix="fuzz-", delete=False) as file:
                    file.write(sent)
                raise SystemExit(f"{name}: {error!r}, found with {file.name}") from error
            longest[name] = max(longest.get(name, 0.0), took)
    return longest


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for name, seconds in run(asked.count, asked.seed).items():
        sys.stdout.write(f"{name}: {asked.count} inputs, the longest {seconds * 1000:.0f} ms\n")


if __name__ == "__main__":
    main()
