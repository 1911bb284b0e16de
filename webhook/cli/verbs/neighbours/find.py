"""Pods that share a GPU now, and the path by which they do."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from webhook.cli.cluster.client import Object, metadata
from webhook.cli.measure.requests import offers_held, pod_name
from webhook.core.api import names
from webhook.core.api.node import Node
from webhook.core.gpu.reading import read_node
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import Offer
from webhook.core.rightsizing.values import DeviceKey, PodName


class SharedBy(StrEnum):
    """The path by which pods reach the same silicon."""

    REPLICA = "time-sliced GPU"
    MPS = "MPS"
    SLICE = "time-sliced MIG device"
    CLAIM = "resource claim"
    PRIVILEGED = "privileged container"


@dataclass(frozen=True, slots=True)
class SharingPod:
    """A pod, and whose it is."""

    name: PodName
    tenant: str | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pods that share something. `certain` is false where the node has several such devices."""

    path: SharedBy
    node: str
    device: str
    pods: tuple[SharingPod, ...]
    certain: bool

    @property
    def crosses_tenants(self) -> bool:
        """Whether a tenant's pod is here with a pod of another, or of no tenant."""
        tenants = {each.tenant for each in self.pods}
        return len(tenants) > 1


_ByDevice = Mapping[DeviceKey, frozenset[PodName]]


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: live pods, nodes by name, labels of namespaces.

    `exported` are pods by device as dcgm-exporter names them, which may leave out some;
    `allocated` as kubelets gave them, which is all of a node.
    """

    pods: tuple[Object, ...]
    nodes: Mapping[str, Node]
    namespaces: Mapping[str, Mapping[str, str]]
    exported: _ByDevice = field(default_factory=dict)
    allocated: _ByDevice = field(default_factory=dict)


def find_neighbours(running: Running) -> tuple[Neighbours, ...]:
    """Return who shares with whom, those with tenants first.

    | pods | share | certain |
    |---|---|---|
    | have replicas, and the kubelet gave several a device | that device | yes |
    | have replicas, and the exporter names several on a device | that device | yes |
    | have replicas of a node's only such device | it | yes |
    | have replicas of a node with several | one of them | no |
    | name the same claim | its device | yes |
    | is privileged on a node with GPUs | all GPUs of the node | yes |
    """
    found = [*_by_replica(running), *_by_claim(running), *_by_privilege(running)]
    return tuple(sorted(found, key=_order))


def _order(each: Neighbours) -> tuple[bool, bool, str, str]:
    tenants = any(pod.tenant for pod in each.pods)
    return not each.crosses_tenants, not tenants, each.node, each.path


def _by_replica(running: Running) -> Iterator[Neighbours]:
    groups: dict[tuple[str, str], list[Object]] = defaultdict(list)
    offers: dict[tuple[str, str], Offer] = {}
    for pod in running.pods:
        for offer in offers_held(pod, running.nodes):
            if offer.replicas > 1:
                key = (_node(pod), offer.resource)
                groups[key].append(pod)
                offers[key] = offer
    given = {name for names in running.allocated.values() for name in names}
    for key, pods in groups.items():
        offer, node = offers[key], key[0]
        path = _path(offer)
        allocated = [pod for pod in pods if pod_name(pod) in given]
        others = [pod for pod in pods if pod_name(pod) not in given]
        named = list(_named(running, running.exported, others, path))
        yield from _named(running, running.allocated, allocated, path)
        yield from named
        known = {pod.name for each in named for pod in each.pods}
        rest = [pod for pod in others if pod_name(pod) not in known]
        only = offer.amount <= offer.replicas
        if len(rest) > 1 or (rest and (named or allocated) and not only):
            yield Neighbours(path, node, "", _pods(running, rest if only else pods), only)


def _path(offer: Offer) -> SharedBy:
    if offer.profile is not None:
        return SharedBy.SLICE
    return SharedBy.MPS if offer.strategy is Strategy.MPS else SharedBy.REPLICA


def _named(
    running: Running, devices: _ByDevice, pods: Iterable[Object], path: SharedBy
) -> Iterator[Neighbours]:
    """Pods of one node that are on one device."""
    live = {pod_name(pod): pod for pod in pods}
    for key, named in devices.items():
        here = [live[name] for name in sorted(named) if name in live]
        if len(here) > 1:
            shown = " ".join(filter(None, (key.uuid, key.instance)))
            yield Neighbours(path, _node(here[0]), shown, _pods(running, here), certain=True)


def _by_claim(running: Running) -> Iterator[Neighbours]:
    groups: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for pod in running.pods:
        namespace = pod_name(pod).namespace
        for claim in sorted(set(_claims(pod))):
            groups[namespace, claim].append(pod)
    for (namespace, claim), pods in groups.items():
        if len(pods) > 1:
            shown = f"{namespace}/{claim}"
            yield Neighbours(SharedBy.CLAIM, _node(pods[0]), shown, _pods(running, pods), True)  # noqa: FBT003


def _claims(pod: Object) -> Iterator[str]:
    stated = (pod.get("spec") or {}).get("resourceClaims") or ()
    made = (pod.get("status") or {}).get("resourceClaimStatuses") or ()
    named = (each.get("resourceClaimName") for each in (*stated, *made))
    yield from filter(None, named)


def _by_privilege(running: Running) -> Iterator[Neighbours]:
    for name, node in running.nodes.items():
        if not read_node(node).offers:
            continue
        here = [pod for pod in running.pods if _node(pod) == name]
        holders = [pod for pod in here if list(offers_held(pod, running.nodes))]
        for pod in here:
            others = [each for each in holders if each is not pod]
            if _is_privileged(pod) and others:
                pods = _pods(running, [pod, *others])
                yield Neighbours(SharedBy.PRIVILEGED, name, "every GPU", pods, certain=True)


def _is_privileged(pod: Object) -> bool:
    spec: Mapping[str, Any] = pod.get("spec") or {}
    return any(
        (each.get("securityContext") or {}).get("privileged")
        for kind in ("containers", "initContainers")
        for each in spec.get(kind) or ()
    )


def _pods(running: Running, pods: Iterable[Object]) -> tuple[SharingPod, ...]:
    made = (SharingPod(pod_name(pod), _tenant(running, pod)) for pod in pods)
    return tuple(sorted(made, key=lambda each: (each.tenant is None, each.tenant or "", each.name)))


def _tenant(running: Running, pod: Object) -> str | None:
    labels = metadata(pod).get("labels") or {}
    given = running.namespaces.get(pod_name(pod).namespace, {}).get(names.TENANT)
    return given or labels.get(names.TENANT) or None


def _node(pod: Object) -> str:
    return (pod.get("spec") or {}).get("nodeName") or ""
