"""How a node looks in a pool: the labels and amounts that it gets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webhook.core.api import names, node
from webhook.core.api.names import NVIDIA
from webhook.core.gpu.dialects.gfd import labels as gfd
from webhook.core.pools.catalog import GpuModel
from webhook.core.pools.layouts import Layout


@dataclass(frozen=True, slots=True)
class Sharing:
    """How the device plugin shares the whole GPUs of a node. One replica: not at all."""

    strategy: str = "none"
    replicas: int = 1
    renamed: bool = True


WHOLE = Sharing()
UNKNOWN_MEMORY = 1
"""MiB that a GPU of unknown memory counts as, so that only what asks for none fits."""


def simulate_node(model: GpuModel, sharing: Sharing, layouts: Sequence[Layout | None]) -> node.Node:
    """Return a node of GPUs, each of a layout or (None) whole.

    Source: k8s-device-plugin v0.20 internal/rm/rm.go, internal/lm; see read_node for the reverse.
    """
    cut = [each for each in layouts if each is not None]
    devices: Counter[str] = Counter()
    for each in cut:
        devices.update(each)
    plain = len(layouts) - len(cut)
    labels = _gpu_labels(model, sharing, len(layouts), plain)
    amounts: dict[str, str | int | float] = {_resource(sharing): plain * sharing.replicas}
    if cut:
        labels[f"{NVIDIA}mig.strategy"] = "mixed"
    for profile, count in devices.items():
        labels |= _device_labels(model, profile, count)
        amounts[names.MIG + profile] = count
    return node.Node(
        metadata=node.NodeMetadata(name=model.product, labels=labels),
        status=node.NodeStatus(allocatable={k: v for k, v in amounts.items() if v}),
    )


def _resource(sharing: Sharing) -> str:
    return names.SHARED_GPU if sharing.replicas > 1 and sharing.renamed else names.GPU


def _gpu_labels(model: GpuModel, sharing: Sharing, count: int, plain: int) -> dict[str, str]:
    shown = sharing.replicas > 1 and not sharing.renamed
    return {
        gfd.PRODUCT: model.product + ("-SHARED" if shown else ""),
        gfd.COUNT: str(count),
        gfd.MEMORY: str(model.memory or UNKNOWN_MEMORY),
        gfd.REPLICAS: str(sharing.replicas if plain else 0),
        gfd.SHARING: sharing.strategy,
        gfd.MIG_CAPABLE: str(bool(model.devices)).lower(),
        gfd.MPS_CAPABLE: str(sharing.strategy == "mps").lower(),
    }


def _device_labels(model: GpuModel, profile: str, count: int) -> Mapping[str, str]:
    device = model.device(profile)
    prefix = names.MIG + profile
    return {
        f"{prefix}.count": str(count),
        f"{prefix}.memory": str(device.memory),
        f"{prefix}.product": f"{model.product}-MIG-{profile}",
        f"{prefix}.replicas": "1",
        prefix + gfd.SHARING_SUFFIX: "none",
        f"{prefix}.slices.gi": str(device.profile.slices),
    }
