"""Bytes that nobody would send, to every door: no crash, no 5xx, no long work.

`python -m bench.fuzz --count 1000000 --seed 1` changes reviews, policies, requests and what an API
server tells of nodes at random, as often, and stops at the first that ends in anything but an
answer or a refusal. It writes that to a file. The same seed gives the same inputs.
"""

import argparse
import contextlib
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/core")]

import casefiles  # noqa: E402 - as the tests import it
from memo_server import POD, Server, envelope  # noqa: E402

from tests.core import large_cluster  # noqa: E402
from webhook.cli.loaders import inventory_of, parse_cluster, read_node  # noqa: E402
from webhook.cli.manifests import InputError  # noqa: E402
from webhook.core.admit import admit  # noqa: E402
from webhook.core.gpu.inventory import build_inventory  # noqa: E402
from webhook.core.policy.load import PolicyError, parse_policy  # noqa: E402
from webhook.kube.errors import ApiError  # noqa: E402
from webhook.kube.list_watch import ListWatch, WatchedResource  # noqa: E402
from webhook.server.http.known_heads import KnownHeads  # noqa: E402
from webhook.server.http.reader import RequestReader  # noqa: E402

EVENTS = ("ADDED", "MODIFIED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR")
MOST_SECONDS = 2.0
"""A review takes 0.2 s at most; the cores of the machine may be busy."""
PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"0", b"-1", b"1e99", b"\\u0000", b"\xff"),
    *(b"\xed\xa0\x80", b"true", b'"nvidia.com/gpu":"1"', b"gpu-sharing.io/", b"\r\n\r\n", b"\n"),
    *(b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n", b"&a *a", b"- ", b"!!python/x"),
)
TEXT = re.compile(rb'"[^"\n]{0,80}"')
ODD = (
    *(b'""', b'"-1"', b'"1e99"', b'"0.5"', b'"NaN"', b'"\xef\xbc\x91"', b'"9Ei"', b"9" * 30),
    *(
        b"null",
        b"[]",
        b"{}",
        b"true",
        b'"true"',
        b'"all-disabled"',
        b'"mps"',
        b'"DELETED"',
        b'"ERROR"',
    ),
    *(b'"BOOKMARK"', b'"node-1"', b'"nvidia.com/gpu"', b'"NVIDIA-A100-SXM4-80GB-MIG-1g.10gb"'),
)
"""What stands for a text, a key or a value, to tell something else."""
NODES = [json.dumps(each) for each in large_cluster.nodes(12, 12)]
REQUEST = b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
Door = Callable[[bytes], None]


def changed(seed: bytes, chance: random.Random) -> bytes:
    """A seed with one to six changes: bytes, pieces, parts that are cut out or repeated, texts."""
    made = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        texts = list(TEXT.finditer(made)) if chance.random() < 0.5 else []
        if texts:
            start, end = chance.choice(texts).span()
            made[start:end] = chance.choice((*ODD, chance.choice(texts)[0]))
            continue
        start = chance.randrange(len(made) + 1)
        end = min(len(made), start + chance.choice((0, 1, 1, 4, 40)))
        part = bytes(made[start:end])
        kinds = (b"", chance.choice(PIECES), part * 3, bytes([chance.randrange(256)]))
        made[start:end] = chance.choice(kinds)
    return bytes(made)


def watched() -> Iterator[bytes]:
    """Lists of nodes with what a watch tells after them, a line each, in any order."""
    chance = random.Random(0)  # noqa: S311 - the same each time is what is wanted
    for _ in range(20):
        some, told = chance.sample(NODES, 2), chance.sample(NODES, 2)
        about = '{"metadata":{"resourceVersion":"1"},"items":'
        events = [f'{{"type":"{chance.choice(EVENTS)}","object":{each}}}' for each in told]
        yield "\n".join((f"{about}[{','.join(some)}]}}", *events, events[0])).encode()


def watch(data: bytes) -> None:
    """List and watch nodes, and decide about a pod on what they offer."""
    page, *lines = data.split(b"\n")
    nodes = ListWatch(WatchedResource("nodes", "/api/v1/nodes", read_node))
    with contextlib.suppress(ApiError):
        list(nodes.take_page(page))
        for line in lines:
            nodes.take_event(line)
    found = build_inventory(each for each in nodes.items.values() if each is not None)
    case = {"side": "mutate", "pod": POD}
    admit(casefiles.request(case, POD), casefiles.rules(case), found)


def review(server: Server, path: str, body: bytes) -> None:
    """Ask for a review, which is answered or refused as no review."""
    answer = server.answer(path, body)
    assert answer.status[:3] in ("200", "400"), answer


def policy(data: bytes) -> None:
    """Read a policy."""
    with contextlib.suppress(PolicyError):
        parse_policy(data.decode(errors="replace"), casefiles.DEFAULT_POLICY)


def inventory(data: bytes) -> None:
    """Read the nodes of a file."""
    with contextlib.suppress(InputError):
        found = parse_cluster("nodes", data.decode(errors="replace"))
        inventory_of(found, casefiles.rules({}))


def http(data: bytes) -> None:
    """Read requests from two connections, of which the second finds the heads of the first."""
    known = KnownHeads()
    for _ in range(2):
        RequestReader(32 * 1024, 64 * 1024, known=known).feed(memoryview(data))


def doors() -> dict[str, tuple[list[bytes], Door]]:
    """What each door is sent in its right form, and the door."""
    server = Server()
    cases = [casefiles.read(path) for path in list(casefiles.paths())[::9]]
    reviews = [envelope(pod) for pod in (POD, *(case["pod"] for case in cases if "pod" in case))]
    template = {"spec": {"template": POD}, "apiVersion": "apps/v1", "kind": "Deployment"}
    workload = envelope(template, kind={"group": "apps", "version": "v1", "kind": "Deployment"})
    policies = [json.dumps(casefiles.HEAD | each.get("policy", {})).encode() for each in cases]
    return {
        "/mutate": (reviews, partial(review, server, "/mutate")),
        "/validate": (reviews, partial(review, server, "/validate")),
        "/advise": ([workload], partial(review, server, "/advise")),
        "policy": (policies, policy),
        "inventory": ([each.encode() for each in NODES], inventory),
        "watch": (list(watched()), watch),
        "HTTP": ([REQUEST, REQUEST.replace(b"Content-Length: 2", b"A: b")], http),
    }


def check(name: str, door: Door, sent: bytes) -> float:
    """Send one input, and return its seconds.

    Raises:
        SystemExit: it was answered wrongly, with the file that has it.
    """
    began = time.process_time()
    try:
        door(sent)
        took = time.process_time() - began
        assert took < MOST_SECONDS, f"{took:.1f} s"
    except Exception as error:
        with tempfile.NamedTemporaryFile(prefix="fuzz-", delete=False) as file:
            file.write(sent)
        raise SystemExit(f"{name}: {error!r}, found with {file.name}") from error
    return took


def run(count: int, seed: int) -> dict[str, float]:
    """Send so many inputs to each door, and return the longest seconds of each."""
    longest: dict[str, float] = {}
    for name, (seeds, door) in doors().items():
        chance = random.Random(seed)  # noqa: S311 - the same each time is what is wanted
        sent = (changed(chance.choice(seeds), chance) for _ in range(count))
        longest[name] = max(check(name, door, each) for each in sent)
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
