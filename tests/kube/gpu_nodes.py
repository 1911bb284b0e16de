"""Nodes for the tests: builders of their JSON, and the small value that the tests decode to."""

from __future__ import annotations

import msgspec

GPU = "nvidia.com/gpu"


class Node(msgspec.Struct, frozen=True):
    """What the tests keep of a node."""

    product: str | None
    gpus: int


class _Metadata(msgspec.Struct):
    name: str
    labels: dict[str, str] = {}


class _Status(msgspec.Struct):
    allocatable: dict[str, str] = {}


class _Node(msgspec.Struct):
    metadata: _Metadata
    status: _Status


def decode(raw: msgspec.Raw | bytes) -> Node | None:
    node = msgspec.json.decode(raw, type=_Node)
    product = node.metadata.labels.get("nvidia.com/gpu.product")
    if product is None and GPU not in node.status.allocatable:
        return None
    return Node(product, int(node.status.allocatable.get(GPU, "0")))


def offers(node: Node) -> bool:
    return node.product is not None and node.gpus > 0


def gpu_node(name: str, *, product: str = "T4", gpus: int = 1) -> dict:
    labels = {"nvidia.com/gpu.product": product}
    status = {"allocatable": {"cpu": "8", GPU: str(gpus)}}
    return {"metadata": {"name": name, "labels": labels}, "status": status}


def plain_node(name: str) -> dict:
    return {"metadata": {"name": name}, "status": {"allocatable": {"cpu": "8"}}}


def namespace(name: str, **labels: str) -> dict:
    named = {key.replace("_", "-"): value for key, value in labels.items()}
    return {"metadata": {"name": name, "labels": named}}
