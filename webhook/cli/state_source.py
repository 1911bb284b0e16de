"""Where `serve` gets nodes and namespaces from: a file that is watched, or a live cluster."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from webhook.cli import loaders, manifests
from webhook.cli.loaders import Cluster
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.api.node import Node
from webhook.core.gpu.inventory import read_node
from webhook.kube.cache import NodeReading, World
from webhook.kube.clock import Runtime
from webhook.kube.connection import Connection
from webhook.kube.errors import ApiError
from webhook.kube.kubeconfig import connect
from webhook.server.probes import Health
from webhook.server.reload import ReloadedFile, Told
from webhook.server.state import Snapshots


@dataclass(frozen=True, slots=True)
class Live:
    """A live cluster, for what is done beside the answers.

    `enforced` lists the namespaces whose mode is enforce, None while they are not known.
    """

    connection: Connection
    enforced: Callable[[], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Source:
    """The world as `serve` uses it. `namespace` gives labels, None where they are not known.

    `age` is in seconds since what is shown was last known to be so; `start` may start threads,
    `tick` is called once a second; `live` is None where no cluster is.
    """

    start: Callable[[], None]
    tick: Callable[[], None]
    namespace: Callable[[str], Mapping[str, str] | None]
    health: Callable[[], Health]
    age: Callable[[], float]
    live: Live | None = None


def of_file(path: str, snapshots: Snapshots, told: Told) -> Source:
    """Nodes and Namespaces of a file; a namespace that it does not have has no labels.

    Raises:
        InputError: the file cannot be read or is wrong.
        OSError: it cannot be opened.
    """
    file: ReloadedFile[Cluster] = ReloadedFile(
        Path(path), partial(loaders.parse_cluster, path), told
    )
    snapshots.set_nodes(file.value.nodes)

    def tick() -> None:
        if file.refresh():
            snapshots.set_nodes(file.value.nodes)

    def health() -> Health:
        kept = f"ok, but the last change was refused: {file.problem}"
        return Health(ok=True, detail=kept if file.problem else "ok")

    return Source(
        start=lambda: None,
        tick=tick,
        namespace=lambda name: file.value.namespaces.get(name, {}),
        health=health,
        age=lambda: 0.0,
    )


def of_cluster(snapshots: Snapshots, told: Told) -> Source:
    """Nodes and namespaces by list and watch, of the pod's own cluster or the kubeconfig's.

    Raises:
        InputError: no cluster is configured.
    """
    try:
        connection = connect()
    except ApiError as failure:
        raise manifests.InputError(
            f"no cluster to watch ({failure}); or give --inventory FILE"
        ) from None
    runtime = Runtime(told)
    watched: World[Node] = World(
        connection,
        NodeReading(loaders.read_node, lambda node: bool(read_node(node).offers)),
        on_change=lambda nodes: snapshots.set_nodes(nodes.values()),
        runtime=runtime,
    )

    def health() -> Health:
        problems = "; ".join(watched.problems())
        seen = watched.nodes() is not None
        return Health(ok=seen, detail=problems or ("ok" if seen else "nodes: not listed yet"))

    def enforced() -> tuple[str, ...] | None:
        found = watched.opted_in()
        if found is None:
            return None
        return tuple(name for name, has in found.items() if has.get(names.MODE) == Mode.ENFORCE)

    return Source(
        start=watched.start,
        tick=lambda: None,
        namespace=watched.namespace,
        health=health,
        age=lambda: watched.age(runtime.now()),
        live=Live(connection, enforced),
    )
