"""Fake GPU nodes: what GPU Feature Discovery and the device plugin would have written."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.e2e.cluster.control_plane import FAKE

ROOM = {"cpu": "64", "memory": "512Gi", "ephemeral-storage": "1Ti", "pods": "250"}


def gpu_node(
    name: str,
    labels: Mapping[str, str],
    allocatable: Mapping[str, str | int],
    taints: Iterable[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """A Node that kwok plays, with these labels and extended resources beside ordinary room."""
    annotation, value = FAKE.split("=")
    usual = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    }
    room = ROOM | {resource: str(count) for resource, count in allocatable.items()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {annotation: value},
            "labels": usual | dict(labels),
        },
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {"allocatable": room, "capacity": room},
    }
