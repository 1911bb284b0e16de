"""What hostile pods cost the API server, with our webhooks and policies and without them.

`python -m bench.hostile_creates` starts the control plane of `make e2e` with the webhook, and
creates each pod of tests/core/hostile_pods.py as a dry run, by turns in a namespace that opted in
and in one that did not. Names are made different first, so that fewer are refused before admission
is done. Printed are the CPU of the kube-apiserver process without and with us, the least of some
times, the HTTP status of both, and what all of them came to.
"""

import http.client
import json
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.client import cpu
from bench.servers import processes
from bench.ways import LABELS, NAMESPACES, NOTHING, OURS
from tests.core import hostile_pods
from tests.e2e import cluster
from tests.e2e.cluster.network import API_PORT, NODE_ADDRESS
from tests.e2e.cluster.settings import Node, Options
from tests.e2e.installation import install

TIMES, EACH, SECONDS = 5, 1.0, 300.0
"""Times that a pod is created at most, the seconds of one after which no more, and of all."""
MOST = 2.0
Cost = tuple[float, int]
"""CPU milliseconds and the HTTP status."""


def pods() -> Iterator[tuple[str, bytes]]:
    """Every pod by what it is made of, as large as we look at or as the API server reads."""
    for name, build in hostile_pods.just_fitting():
        yield name, valid(json.dumps(build()))
    for name, spell in hostile_pods.largest():
        text = spell()
        yield f"3 MiB of {name}", text.encode() if name == "lists in lists" else valid(text)


def valid(text: str) -> bytes:
    """The pod with different names for containers and volumes, and as many as still fit."""
    pod = json.loads(text)
    for kind in ("containers", "initContainers", "volumes"):
        listed = pod["spec"].get(kind, [])
        for number, each in enumerate(listed):
            each["name"] = f"{kind[0]}{number}" if len(each.get("name", "")) < 99 else each["name"]
            each.update({} if kind == "volumes" else {"image": "i"})
        over = len(dump(pod)) / hostile_pods.LARGEST
        del listed[int(len(listed) / max(over * 1.1, 1.0)) :]
    return dump(pod)


def dump(pod: dict[str, Any]) -> bytes:
    """A pod as JSON without spaces."""
    return json.dumps(pod, separators=(",", ":"), ensure_ascii=False).encode()


class ApiServer:
    """A connection to it, and its processes."""

    def __init__(self, folder: Path, pids: list[int]) -> None:
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        self._context, self._pids = context, pids

    def create(self, way: str, pod: bytes) -> Cost:
        """Create a pod as a dry run, on a connection of its own."""
        connection = http.client.HTTPSConnection(NODE_ADDRESS, API_PORT, context=self._context)
        before = cpu(self._pids)
        path = f"/api/v1/namespaces/{NAMESPACES[way]}/pods?dryRun=All"
        try:
            connection.request("POST", path, pod, {"Content-Type": "application/json"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):  # it did not read the pod to its end
            status = 0
        spent = cpu(self._pids) - before
        connection.close()
        return spent * 1000, status


def measure(folder: Path, pids: list[int]) -> Iterator[str]:
    """What is printed, each pod as it is done: where it costs too much with us, and in all."""
    server, ratios, end = ApiServer(folder, pids), [], time.monotonic() + SECONDS
    for name, pod in pods():
        if time.monotonic() > end:
            yield f"not begun after {SECONDS} s: {name}"
            continue
        pairs, enough = [], time.monotonic() + EACH
        while not pairs or (len(pairs) < TIMES and time.monotonic() < enough):
            pairs.append([server.create(way, pod) for way in (NOTHING, OURS)])
        (without, *_), (ours, *_) = (
            sorted(cost for cost, _ in way) for way in zip(*pairs, strict=True)
        )
        ratios.append(ours / without)
        statuses = [status for _, status in pairs[0]]
        told = f"{without:.1f} and {ours:.1f} ms, {len(pairs)} times, HTTP {statuses}"
        yield f"{'OVER' if ratios[-1] > MOST else 'ok'} x{ratios[-1]:.2f} {name}: {told}"
    over = sum(ratio > MOST for ratio in ratios)
    yield f"{len(ratios)} pods: ratio {statistics.median(ratios):.2f} (median); {over} over {MOST}"


def main() -> None:
    """Be the process that sends, or start the cluster and that process in its network."""
    if len(sys.argv) > 1:
        for line in measure(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]]):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        return
    with cluster.running(Options(node=Node.NONE)) as made:
        user = install(made).user
        for way in (NOTHING, OURS):
            user.namespace(NAMESPACES[way], LABELS.get(way))
        pids = map(str, processes(made.api_server.pid))
        sender = [sys.executable, "-m", "bench.hostile_creates"]
        command = made.netns_command([*sender, made.site.authority.directory, *pids])
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
