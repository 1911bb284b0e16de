"""Measured devices on the nodes of the cluster."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from webhook.cli.cluster.client import Object
from webhook.cli.measure.requests import offers_held
from webhook.core.api.node import Node
from webhook.core.gpu.reading import read_node
from webhook.core.rightsizing.values import Device, PodName, SharedKinds, merge_devices


def place_devices(
    devices: Iterable[Device], live: Mapping[PodName, Object], nodes: Mapping[str, Node]
) -> tuple[Device, ...]:
    """Return devices on their nodes, each once.

    An exporter without NODE_NAME gives its own pod's name for the node, so a restart of it makes a
    second name of each device.
    """
    found: dict[tuple[str, str], Device] = {}
    placed = (_placed(each, live) for each in devices)
    for each in sorted(placed, key=lambda each: each.key.node not in nodes):
        key = (each.key.uuid, each.key.instance)
        found[key] = merge_devices(found[key], each) if key in found else each
    return tuple(found.values())


def _placed(device: Device, live: Mapping[PodName, Object]) -> Device:
    """The device on the node of a pod that it names."""
    for pod in device.pods:
        node = (live.get(pod, {}).get("spec") or {}).get("nodeName")
        if node:
            return replace(device, key=replace(device.key, node=node))
    return device


def shared_kinds(nodes: Iterable[Node]) -> SharedKinds:
    """Return which devices of which nodes several pods have at once."""
    return frozenset(
        (each.metadata.name, offer.profile)
        for each in nodes
        for offer in read_node(each).offers
        if offer.replicas > 1
    )


def nodes_with_unnamed(
    devices: Iterable[Device], live: Mapping[PodName, Object], nodes: Mapping[str, Node]
) -> frozenset[str]:
    """Return the nodes with pods that hold GPUs and are named on no device."""
    named = {pod for device in devices for pod in device.pods}
    return frozenset(
        (pod.get("spec") or {}).get("nodeName") or ""
        for name, pod in live.items()
        if name not in named and offers_held(pod, nodes)
    )
