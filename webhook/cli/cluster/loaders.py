"""Policy, nodes and namespaces as a caller may read them from a cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webhook.cli import loaders, manifests
from webhook.cli.cluster import resources
from webhook.cli.cluster.client import (
    ClusterClient,
    Forbidden,
    NotFound,
    Object,
    Unavailable,
    metadata,
)
from webhook.cli.cluster.flags import Install
from webhook.cli.loaders import Cluster
from webhook.cli.manifests import InputError
from webhook.core.api.node import Node
from webhook.core.integrations import registry
from webhook.core.policy import load
from webhook.core.policy.values import Policy

POLICY_KEY = "policy.yaml"


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A policy, and in words where it comes from."""

    policy: Policy
    source: str


def policy(client: ClusterClient, install: Install, path: str | None) -> PolicySource:
    """The policy of a file. Else the one that the webhook was installed with. Else the built-in.

    Raises:
        InputError: it is wrong; the message says where.
        Unavailable: the cluster does not answer.
    """
    if path is not None:
        return PolicySource(loaders.load_policy(path), f"the policy of {path}")
    name = f"{install.release}-policy"
    try:
        found = client.get(resources.CONFIG_MAP, name, install.namespace)
    except Forbidden as forbidden:
        return PolicySource(loaders.load_policy(None), f"the built-in policy ({forbidden})")
    except Unavailable:
        return PolicySource(
            loaders.load_policy(None), "the built-in policy (no webhook is installed here)"
        )
    source = f"ConfigMap {install.namespace}/{name}"
    try:
        text = (found.get("data") or {}).get(POLICY_KEY) or ""
        return PolicySource(loaders.parse_policy(text), f"the policy of {source}")
    except load.PolicyError as error:
        raise InputError(f"{source}: {error}") from None


def cluster(client: ClusterClient, inventory: str | None, namespace: str | None) -> Cluster:
    """The nodes of a file or the cluster, and the labels of namespaces.

    Raises:
        InputError: the file cannot be read.
        Unavailable: a right is missing or the cluster does not answer.
    """
    labels = dict(namespaces(client, namespace))
    if inventory is not None:
        file = loaders.load_cluster(inventory)
        return Cluster(file.nodes, {**file.namespaces, **labels})
    try:
        found = nodes(client)
    except Forbidden as forbidden:
        raise Unavailable(
            f"{forbidden}; or get `kubectl get nodes -o json` from somebody, for --inventory"
        ) from None
    return Cluster(found, labels)


def nodes(client: ClusterClient) -> tuple[Node, ...]:
    """The nodes of the cluster.

    Raises:
        InputError: one cannot be read.
        Unavailable: a right is missing or the cluster does not answer.
    """
    return loaders.of_objects(map(manifests.manifest_of_live, client.each(resources.NODE))).nodes


def namespaces(
    client: ClusterClient, namespace: str | None
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Names of namespaces with their labels."""
    if namespace is not None:
        found = [client.get(resources.NAMESPACE, namespace)]
    else:
        found = list(client.each(resources.NAMESPACE))
    for each in found:
        data = metadata(each)
        yield data["name"], data.get("labels") or {}


def existing(client: ClusterClient, namespace: str | None) -> tuple[list[Object], tuple[str, ...]]:
    """Every object that makes pods, and a note for each kind not seen.

    Raises:
        Unavailable: one of Kubernetes' own kinds may not be seen, or the cluster does not answer.
    """
    found: list[Object] = []
    notes: list[str] = []
    for resource in (each for each in registry.BUILT_IN if each.runs):
        found.extend(client.each(resource, namespace))
    for resource in (each for each in registry.CUSTOM if each.runs):
        try:
            found.extend(client.each(resource, namespace))
        except NotFound:
            continue  # not installed here
        except Forbidden as forbidden:
            notes.append(f"{resource.qualified} are judged by their pods only: {forbidden}")
    return found, tuple(notes)
