"""Policy and inventory of a command: built in, of files, or of a cluster."""

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from webhook.cli import manifests
from webhook.cli.manifests import InputError, Manifest
from webhook.core.api.node import Namespace, Node
from webhook.core.gpu.inventory import build_inventory
from webhook.core.gpu.reading import is_of_gpus
from webhook.core.gpu.values import Inventory
from webhook.core.policy import load as policy_file
from webhook.core.policy.values import Policy

T = TypeVar("T")


class Cluster(Struct, frozen=True):
    """The nodes of a file or a cluster, and labels of its namespaces."""

    nodes: tuple[Node, ...]
    namespaces: Mapping[str, Mapping[str, str]]


def default_policy_text() -> str:
    """The built-in policy, as YAML with comments."""
    folder = resources.files("webhook") / "policies"
    return (folder / "default.yaml").read_text(encoding="utf-8")


def parse_policy(text: str) -> Policy:
    """The policy that a text states on top of the built-in one.

    Raises:
        policy_file.PolicyError: it is wrong; the message says where.
    """
    return policy_file.parse_policy(text, default_policy_text())


def load_policy(path: str | None) -> Policy:
    """The policy of a file, or the built-in one.

    Raises:
        InputError: the file cannot be read or is wrong; the message says where.
    """
    text = default_policy_text() if path is None else manifests.read_text(path)
    try:
        return parse_policy(text)
    except policy_file.PolicyError as error:
        raise InputError(f"{_name(path)}: {error}") from None


def whole_policy(path: str) -> dict[str, Any]:
    """The policy of a file with all that it leaves out, as plain values.

    Raises:
        InputError: the file cannot be read or is wrong; the message says where.
    """
    try:
        return policy_file.whole_policy(manifests.read_text(path), default_policy_text())
    except policy_file.PolicyError as error:
        raise InputError(f"{_name(path)}: {error}") from None


def _name(path: str | None) -> str:
    return "standard input" if path == manifests.STDIN else str(path)


def load_cluster(path: str) -> Cluster:
    """The cluster of an inventory file.

    Raises:
        InputError: it cannot be read; the message says what to do.
    """
    return parse_cluster(path, manifests.read_text(path))


def parse_cluster(source: str, text: str) -> Cluster:
    """The cluster of a text. An empty List is a cluster without nodes.

    Raises:
        InputError: something cannot be read, or there is no Node: `kubectl get … > FILE` empties
            the file first, and a webhook that took that would refuse every pod.
    """
    found = list(manifests.parse_manifests(source, text))
    cluster = of_objects(found)
    if not cluster.nodes and (found or not text.strip()):
        raise InputError(
            f"{source}: no Node in it; expected what `kubectl get nodes -o json` prints"
        )
    return cluster


def inventory_of(cluster: Cluster, policy: Policy) -> Inventory:
    """What the cluster offers, and what the policy's pools will once they are there."""
    return build_inventory(cluster.nodes, policy.pools, policy.momentary_taints)


def of_objects(found: Iterable[Manifest | InputError]) -> Cluster:
    """Nodes and Namespaces among objects.

    Raises:
        InputError: an object that cannot be read.
    """
    nodes: list[Node] = []
    namespaces: dict[str, Mapping[str, str]] = {}
    for each in found:
        if isinstance(each, InputError):
            raise each
        if each.value["kind"] == "Node":
            nodes.append(decode(each, Node))
        elif each.value["kind"] == "Namespace":
            metadata = decode(each, Namespace).metadata
            namespaces[metadata.name] = metadata.labels or {}
    return Cluster(tuple(nodes), namespaces)


def decode(found: Manifest, kind: type[T]) -> T:
    """Read a typed view of an object.

    Raises:
        InputError: a wrong type somewhere; the message says file, line and path.
    """
    try:
        return msgspec.convert(found.value, kind)
    except msgspec.ValidationError as error:
        raise InputError(found.locate(str(error))) from None


def read_node(raw: msgspec.Raw) -> Node | None:
    """Decode a node of the API server. It is None for one that has nothing of NVIDIA."""
    found = msgspec.json.decode(raw, type=Node)
    return found if is_of_gpus(found) else None
