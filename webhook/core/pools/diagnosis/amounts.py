"""Labels of a node beside what is allocatable and in capacity."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import names, node
from webhook.core.gpu.dialect import mebibytes_of
from webhook.core.gpu.dialects.gfd.labels import COUNT, MEMORY, MIG_STATE, REPLICAS
from webhook.core.pools.diagnosis.problem import NodeProblem, NodeView, number, warning


def _amounts(seen: NodeView) -> Iterator[NodeProblem]:
    """Labels beside allocatable and capacity, while nothing is being changed."""
    if seen.labels.get(MIG_STATE) in ("pending", "rebooting"):
        return
    allocatable, capacity = node.allocatable(seen.subject), node.capacity(seen.subject)
    for resource, most, labels in _labelled(seen):
        amount = number(str(allocatable.get(resource, 0)))
        if 0 < amount < most or (amount == 0 and allocatable):
            yield warning(
                "fewer_than_labelled", f"{resource}: {amount} allocatable, {labels}",
                "see the device plugin's log: devices are unhealthy (XID), in MIG mode with none "
                "cut, or the plugin was not restarted since they changed",
            )  # fmt: skip
    for key, raw in capacity.items():
        if number(str(raw)) and not number(str(allocatable.get(key, 0))):
            yield warning(
                "left_in_capacity", f"{key}: {raw} in capacity, 0 allocatable",
                "restart the kubelet if the devices are gone: it still remembers them",
            )  # fmt: skip


def _labelled(seen: NodeView) -> Iterator[tuple[str, int, str]]:
    """The amounts that labels promise, with the labels. Cut GPUs are counted in gpu.count too."""
    for profile, count in seen.devices().items():
        if seen.profile is None:
            prefix = names.MIG + profile
            replicas = max(number(seen.labels.get(f"{prefix}.replicas")), 1)
            shared = (
                names.SHARED if f"{prefix}{names.SHARED}" in node.allocatable(seen.subject) else ""
            )
            yield prefix + shared, count * replicas, f"{prefix}.count={count}"
    count, replicas = seen.number(COUNT), seen.number(REPLICAS)
    if count and replicas and not any(key.startswith(names.MIG) for key in seen.labels):
        renamed = names.SHARED_GPU in node.allocatable(seen.subject)
        resource = names.SHARED_GPU if renamed else names.GPU
        yield resource, count * replicas, f"{COUNT}={count}, {REPLICAS}={replicas}"


def _memory(seen: NodeView) -> Iterator[NodeProblem]:
    """Memory that cannot be read: with a unit, or in bytes."""
    value = seen.labels.get(MEMORY)
    if value is not None and value != "0" and mebibytes_of(value) is None:
        yield warning(
            "memory_unreadable", f"{MEMORY}={value} is not the MiB of a GPU",
            "upgrade GPU Feature Discovery: pods that state their memory do not come here",
        )  # fmt: skip


CHECKS: Final = (_amounts, _memory)
