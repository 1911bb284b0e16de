"""What the creation of a pod costs on a real API server, with us and with others beside us.

Starts the control plane of `make e2e` with the webhook of install.yaml, two replicas as processes
like the Go one, and creates pods as a dry run by turns in a namespace of each way of `ways`.
Printed are medians of the rounds: milliseconds of a create, what it adds to one that nothing looks
at in the same round, and the API server's CPU for it; then where the API server itself says that
the time went.
"""

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator

from bench.reviews import body
from bench.servers import Client, processes
from bench.ways import NAMESPACES, NOTHING, lay_all
from tests.e2e import cluster
from tests.e2e.cluster import Cluster
from tests.e2e.cluster.network import API_PORT, NODE_ADDRESS
from tests.e2e.cluster.settings import Node, Options
from tests.e2e.installation import install
from tests.e2e.user import User

CLIENTS = (1, 8, 32)
SECONDS, WARM = 0.2, 0.05
"""Of each way in turn: short, so that what else the cores do falls on all ways alike."""
PARTS = {
    "apiserver_admission_controller_admission_duration_seconds": "admission plugin",
    "apiserver_admission_webhook_admission_duration_seconds": "call of a webhook",
    "apiserver_admission_match_condition_evaluation_seconds": "conditions that do not match",
}
"""What the API server measures of itself, and what that is."""
Cell = tuple[str, str, int]
"""Pod, way, clients."""


def pods() -> dict[str, str]:
    """The pods that are created, each as JSON; no two are the same."""
    large, small = (
        json.dumps(json.loads(body(x))["request"]["object"]) for x in ("5 kB", "1.5 kB")
    )
    plain = (
        x.replace('"nvidia.com/gpu": "1"', '"ephemeral-storage": "1Gi"') for x in (large, small)
    )
    return dict(zip(("GPU, 5 kB", "no GPU, 5 kB", "no GPU, 1.5 kB"), (large, *plain), strict=True))


class ApiServer:
    """Where pods are created, and what the API server counts meanwhile."""

    def __init__(self, made: Cluster) -> None:
        directory = made.site.authority.directory
        self._pair = [str(directory / "admin.crt"), str(directory / "admin.key")]
        self._made, self._pids = made, processes(made.api_server.pid)
        self._client = Client(directory / "ca.crt", None, made.site.sandbox.in_network([]))

    def create(self, way: str, pod: str, clients: int) -> dict[str, float]:
        """Create a pod again and again; what it took."""
        path = f"/api/v1/namespaces/{NAMESPACES[way]}/pods?dryRun=All"
        about = {"path": path, "body": pod, "connections": clients, "differ": True}
        lengths = {"seconds": SECONDS, "warm": WARM, "pids": self._pids}
        place = {"host": NODE_ADDRESS, "pair": self._pair}
        return self._client.send(API_PORT, **about, **lengths, **place)

    def counted(self) -> Counter[tuple[str, str]]:
        """Seconds by metric and by who is measured, so far."""
        found: Counter[tuple[str, str]] = Counter()
        for line in self._made.kubectl("get", "--raw=/metrics").stdout.splitlines():
            name, _, rest = line.partition("_sum{")
            if part := PARTS.get(name):
                labels, _, value = rest.rpartition("} ")
                who = labels.partition('name="')[2].partition('"')[0]
                found[part, who] += float(value)
        return found


class Results:
    """What each round gave."""

    def __init__(self) -> None:
        self.cells: dict[Cell, list[dict[str, float]]] = {}
        self.parts: dict[tuple[str, str], list[Counter[tuple[str, str]]]] = {}

    def add_round(self, server: ApiServer) -> None:
        """Measure each way once with each pod and number of clients."""
        for pod, text in pods().items():
            for clients in CLIENTS:
                for way in NAMESPACES:
                    before = server.counted() if clients == 1 else Counter()
                    found = server.create(way, text, clients)
                    self.cells.setdefault((pod, way, clients), []).append(found)
                    if clients == 1:
                        self._split(pod, way, server.counted() - before, found["all"])

    def _split(self, pod: str, way: str, spent: Counter[tuple[str, str]], many: float) -> None:
        each = Counter({key: value / many for key, value in spent.items()})
        self.parts.setdefault((pod, way), []).append(each)

    def rows(self) -> Iterator[list[str]]:
        """A row for each pod and way: milliseconds, what is added, creates a second, CPU."""
        yield ["pod", "way", *(f"ms, {n}" for n in CLIENTS), *(f"added, {n}" for n in CLIENTS),
               "creates/s, 32", "API server CPU ms"]  # fmt: skip
        yield ["---"] * (4 + 2 * len(CLIENTS))
        for pod in pods():
            for way in NAMESPACES:
                yield [pod, way, *self._figures(pod, way)]

    def _figures(self, pod: str, way: str) -> Iterator[str]:
        taken = [self.cells[pod, way, clients] for clients in CLIENTS]
        base = [self.cells[pod, NOTHING, clients] for clients in CLIENTS]
        for cell in taken:
            yield spread([each["p50"] * 1e3 for each in cell])
        for cell, nothing in zip(taken, base, strict=True):
            pairs = zip(cell, nothing, strict=True)
            yield spread([(a["p50"] - b["p50"]) * 1e3 for a, b in pairs])
        yield f"{statistics.median(a['reviews'] / a['seconds'] for a in taken[-1]):.0f}"
        yield spread([each["cpu"] / each["reviews"] * 1e3 for each in taken[0]])

    def split(self) -> Iterator[list[str]]:
        """A row for each part of a create with one client, as the API server counts it."""
        yield ["pod", "way", "what the API server measures", "of", "ms a create"]
        yield ["---"] * 5
        for (pod, way), rounds in self.parts.items():
            for part, who in sorted({key for each in rounds for key in each}):
                middle = statistics.median(each[part, who] * 1e3 for each in rounds)
                if middle >= 0.02:
                    yield [pod, way, part, who, f"{middle:.2f}"]


def spread(values: list[float]) -> str:
    """The median, and between what half of the values are."""
    low, middle, high = statistics.quantiles(values * 2, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def measure(user: User, rounds: int) -> None:
    """Measure and print both tables."""
    lay_all(user)
    results, server = Results(), ApiServer(user.cluster)
    Results().add_round(server)  # the first creates wait for expressions that are compiled
    for _ in range(rounds):
        results.add_round(server)
    for table in (results.rows(), results.split()):
        sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in table)
        sys.stdout.write("\n")


def main() -> None:
    """Measure on a cluster of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    rounds: int = parser.parse_args().rounds
    with cluster.running(Options(node=Node.NONE)) as made:
        measure(install(made).user, rounds)


if __name__ == "__main__":
    main()
