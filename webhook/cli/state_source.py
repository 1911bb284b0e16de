"""The source of nodes and namespaces for `serve`: a watched file or a live cluster."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from webhook.cli import loaders, manifests
from webhook.cli.loaders import Cluster
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.api.node import Node
from webhook.core.gpu.reading import tells_of_gpus
from webhook.kube.cache import ClusterCache, Listeners, NodeReading
from webhook.kube.clock import Runtime
from webhook.kube.errors import ApiError
from webhook.kube.reflector import Reflector
from webhook.server.kept import Kept
from webhook.server.probes import Check, Health
from webhook.server.reload import Logger, ReloadedFile
from webhook.server.state import NamespaceLookup, ServerState

if TYPE_CHECKING:
    from webhook.kube.client import ApiClient

Job = Callable[[], Coroutine[None, None, None]]
"""Runs in the server's loop until it is cancelled."""

RECEIVED: Final = 48 * 1024  # bytes from the API server before reviews have their turn
UNWATCHED_SECONDS: Final = 600.0  # that namespaces may go unwatched before readiness ends


class LiveCluster(Struct, frozen=True):
    """A live cluster, for what is done beside the answers.

    `enforced` lists the namespaces whose mode is enforce, None while they are not known.
    """

    client: "ApiClient"
    enforced: Callable[[], tuple[str, ...] | None]


class StateSource(Struct, frozen=True):
    """What keeps the state of a server up to date.

    `age` is in seconds since what is shown was last known to be so, `live` None without a cluster.
    """

    follow: Job
    namespaces: NamespaceLookup
    checks: Mapping[str, Check]
    age: Callable[[], float]
    live: LiveCluster | None = None


def open_file(path: str, state: ServerState, log: Logger) -> StateSource:
    """Return a source of Nodes and Namespaces.

    A namespace that the file lacks has no labels.

    Raises:
        InputError: the file cannot be read or is wrong.
        OSError: it cannot be opened.
    """
    file: ReloadedFile[Cluster] = ReloadedFile(
        Path(path), partial(loaders.parse_cluster, path), log
    )

    async def follow() -> None:
        await state.set_nodes(file.value.nodes)
        await file.follow(lambda cluster: state.set_nodes(cluster.nodes))

    def health() -> Health:
        kept = f"ok, but the last change was refused: {file.problem}"
        seen = state.inventory is not None
        return Health(ok=seen, detail=kept if file.problem else "ok" if seen else "not read yet")

    return StateSource(
        follow=follow,
        namespaces=lambda name, _: file.value.namespaces.get(name, {}),
        checks={"inventory": health},
        age=lambda: 0.0,
    )


def open_cluster(
    state: ServerState, log: Logger, kubeconfig: str | None = None, context: str | None = None
) -> StateSource:
    """Return a source that lists and watches the pod's own cluster, or a kubeconfig's.

    Raises:
        InputError: no cluster is configured.
    """
    from webhook.kube.client import open_client  # noqa: PLC0415 - 0.2 s, and a file needs none

    try:
        client = open_client(kubeconfig, context, at_once=RECEIVED)
    except ApiError as failure:
        raise manifests.InputError(
            f"no cluster to watch ({failure}); or give --inventory FILE"
        ) from None
    runtime, kept, kept_labels = Runtime(log), Kept(Node), Kept(tuple[str, dict[str, str]])

    async def take(nodes: Mapping[str, Node]) -> None:
        await state.set_nodes(nodes.values())
        await kept.write(nodes.values())

    async def take_labels(labels: Mapping[str, Mapping[str, str]]) -> None:
        await kept_labels.write((name, dict(each)) for name, each in labels.items())

    cache: ClusterCache[Node] = ClusterCache(
        client,
        NodeReading(loaders.read_node, tells_of_gpus),
        listeners=Listeners(take, take_labels),
        runtime=runtime,
    )

    async def follow() -> None:
        if (labels := kept_labels.read()) is not None:  # first, as a review waits for nodes only
            cache.assume(dict(labels))
        if (nodes := kept.read()) is not None:
            await state.set_nodes(nodes)
        await cache.run()

    return StateSource(
        follow=follow,
        namespaces=cache.namespace_labels,
        checks={
            "inventory": lambda: check_nodes(cache),
            "namespaces": lambda: check_namespaces(cache.namespace_reflector),
        },
        age=lambda: cache.age(runtime.now()),
        live=LiveCluster(client, lambda: _enforced(cache)),
    )


def _enforced(cache: ClusterCache[Node]) -> tuple[str, ...] | None:
    found = cache.opted_in()
    if found is None:
        return None
    return tuple(name for name, has in found.items() if has.get(names.MODE) == Mode.ENFORCE)


def check_nodes(cache: ClusterCache[Node]) -> Health:
    """Return whether nodes are known, also where they could not be watched since."""
    seen = cache.nodes() is not None
    problem = cache.node_reflector.problem() or ("" if seen else "not listed yet")
    return Health(ok=seen, detail=f"nodes: {problem}" if problem else "ok")


def check_namespaces(reflector: Reflector[Mapping[str, str]]) -> Health:
    """Return whether namespaces are watched.

    | listed | the watch fails | ok |
    |---|---|---|
    | no | | no |
    | yes | no | yes |
    | yes | for at most UNWATCHED_SECONDS | yes: an API server that is back asks at once |
    | yes | longer | no: the labels that are known are too old to decide by |
    """
    problem = reflector.problem()
    ok = reflector.listed and reflector.failing_for() <= UNWATCHED_SECONDS
    return Health(ok=ok, detail=f"namespaces: {problem}" if problem else "ok")
