"""What hostile pods cost the API server, with our webhooks and policies and without them.

`python -m bench.hostile_creates` starts the control plane of `make e2e` with the webhook, and
creates each pod of tests/core/hostile_pods.py as a dry run, by turns in a namespace that opted in
and in one that did not. Names are made different first, so that fewer are refused before admission
is done. Printed are the pods that cost most more, by the CPU of the kube-apiserver process without
and with us, the HTTP status of both, and what all of them came to.
"""

import http.client
import json
import ssl
import statistics
import sys
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

TIMES, MOST, WORST = 2, 2.0, 24
Cost = tuple[float, int]
"""CPU milliseconds and the HTTP status."""


def pods() -> Iterator[tuple[str, bytes]]:
    """Every pod by what it is made of, as large as the API server reads or as we look at."""
    for name, spell in hostile_pods.largest():
        text = spell()
        yield f"3 MiB of {name}", text.encode() if name == "lists in lists" else valid(text)
    for name, build in hostile_pods.just_fitting():
        yield name, valid(json.dumps(build()))


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
    """What is printed."""
    server, rows = ApiServer(folder, pids), []
    for name, pod in pods():
        pairs = [(server.create(NOTHING, pod), server.create(OURS, pod)) for _ in range(TIMES + 1)]
        without, ours = (statistics.median(each[way][0] for each in pairs[1:]) for way in (0, 1))
        statuses = [each[1] for each in pairs[0]]
        told = f"{name}: {without:.1f} and {ours:.1f} ms, HTTP {statuses}"
        rows.append((ours / without, told))
    rows.sort(reverse=True)
    for ratio, told in rows[:WORST]:
        yield f"x{ratio:.2f}, {told}"
    over = sum(ratio > MOST for ratio, _ in rows)
    yield f"{len(rows)} pods: ratio {rows[len(rows) // 2][0]:.2f} (median); {over} over {MOST}"


def main() -> None:
    """Be the process that sends, or start the cluster and that process in its network."""
    if len(sys.argv) > 1:
        folder, *pids = sys.argv[1:]
        for line in measure(Path(folder), [int(each) for each in pids]):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        return
    with cluster.running(Options(node=Node.NONE)) as made:
        user = install(made).user
        for way in (NOTHING, OURS):
            user.namespace(NAMESPACES[way], LABELS.get(way))
        sys.stdout.write(sent_within(made))


def sent_within(made: Any) -> str:
    """What the process that sends prints."""
    pids = map(str, processes(made.api_server.pid))
    command = [sys.executable, "-m", "bench.hostile_creates", made.site.authority.directory, *pids]
    done = made.in_netns(command, seconds=3600)
    return str(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
