"""One Node's labels and allocatable resources -> its offers; nothing of other nodes or of pods.

A resource name alone says nothing (NVIDIA k8s-device-plugin README): `nvidia.com/gpu` is a whole
GPU, a replica of one or a MIG device, as the labels of GPU Feature Discovery tell.

| labels | strategy | resource |
|---|---|---|
| gpu.sharing-strategy=none, no gpu.slices.gi | exclusive | nvidia.com/gpu |
| gpu.sharing-strategy=none, gpu.slices.gi, gpu.product=…-MIG-<p> | mig | nvidia.com/gpu |
| gpu.sharing-strategy=mps | mps | nvidia.com/gpu or nvidia.com/gpu.shared |
| gpu.sharing-strategy=time-slicing | time-slicing | the same two |
| mig-<p>.sharing-strategy=none | mig | nvidia.com/mig-<p> |
| mig-<p>.sharing-strategy=time-slicing | time-slicing | nvidia.com/mig-<p>[.shared] |
| contradictory, invalid or absent | nothing | |
"""

from collections.abc import Iterator, Mapping
from typing import Final

from webhook.core.api import mig, names, node, quantity
from webhook.core.api.mig import Profile
from webhook.core.api.model import NodeRequirement, Offer, Strategy

_INVALID: Final = "-MIG-INVALID"
_NOT_SHARED: Final = "none"


def sharing_pin(label: str, value: str) -> NodeRequirement:
    """The pin that makes a resource name mean one sharing strategy."""
    return NodeRequirement(label, "In", (value,))


WHOLE_PINS: Final = (
    sharing_pin(names.GPU_SHARING, _NOT_SHARED),
    NodeRequirement(names.GPU_SLICES, "DoesNotExist"),
)


def of_node(subject: node.Node) -> tuple[Offer, ...]:
    """Return what a node really gives, in the order of its resource names."""
    labels = node.labels(subject)
    amounts = dict(sorted(_amounts(subject)))
    if _INVALID in labels.get(names.GPU_PRODUCT, ""):
        return ()
    found = (_offer(resource, amount, labels) for resource, amount in amounts.items())
    return tuple(offer for offer in found if offer is not None)


def advertises(subject: node.Node) -> bool:
    """Whether the node has any GPU or MIG resource, whatever its labels say."""
    return any(True for _ in _amounts(subject))


def _amounts(subject: node.Node) -> Iterator[tuple[str, int]]:
    for resource, raw in node.allocatable(subject).items():
        if resource in (names.GPU, names.SHARED_GPU) or mig.of_resource(resource):
            amount = _integer(raw)
            if amount:
                yield resource, amount


def _integer(raw: quantity.Raw | None) -> int | None:
    try:
        return None if raw is None else quantity.count(raw)
    except quantity.QuantityError:
        return None


def _offer(resource: str, amount: int, labels: Mapping[str, str]) -> Offer | None:
    named = mig.of_resource(resource)
    if named is not None:
        return _mixed(resource, amount, named, labels)
    match labels.get(names.GPU_SHARING):
        case "none":
            return _unshared(resource, amount, labels)
        case "mps" if names.GPU_SLICES not in labels:
            return _shared(resource, amount, Strategy.MPS, labels)
        case "time-slicing":
            return _shared(resource, amount, Strategy.TIME_SLICING, labels)
        case _:
            return None


def _unshared(resource: str, amount: int, labels: Mapping[str, str]) -> Offer | None:
    product = labels.get(names.GPU_PRODUCT, "")
    if resource != names.GPU or _replicas(labels, names.GPU_REPLICAS) > 1 or "-SHARED" in product:
        return None
    if names.GPU_SLICES not in labels:
        whole = _build(resource, amount, (Strategy.EXCLUSIVE, None, WHOLE_PINS), labels)
        return None if "-MIG-" in product else whole
    profile = mig.of_product(product)
    # Which products these are is told by the pin on gpu.product that `pins` always adds here.
    given = (Strategy.MIG, profile, WHOLE_PINS[:1])
    return _build(resource, amount, given, labels) if profile else None


def _shared(resource: str, amount: int, strategy: Strategy, labels: Mapping[str, str]) -> Offer:
    profile = mig.of_product(labels.get(names.GPU_PRODUCT, ""))
    pins = (sharing_pin(names.GPU_SHARING, strategy.value),)
    return _build(resource, amount, (strategy, profile, pins), labels)


def _mixed(
    resource: str, amount: int, named: tuple[Profile, bool], labels: Mapping[str, str]
) -> Offer | None:
    profile, renamed = named
    sharing = labels.get(profile.resource + names.SHARING_SUFFIX)
    replicas = _replicas(labels, profile.resource + names.REPLICAS_SUFFIX)
    if sharing == _NOT_SHARED and not renamed and replicas <= 1:
        strategy = Strategy.MIG
    elif sharing == Strategy.TIME_SLICING:
        strategy = Strategy.TIME_SLICING
    else:
        return None
    pins = (sharing_pin(profile.resource + names.SHARING_SUFFIX, sharing),)
    return _build(resource, amount, (strategy, profile, pins), labels)


def _build(
    resource: str,
    amount: int,
    given: tuple[Strategy, Profile | None, tuple[NodeRequirement, ...]],
    labels: Mapping[str, str],
) -> Offer:
    strategy, profile, pins = given
    mixed = profile is not None and resource.startswith(names.MIG)
    prefix = profile.resource if mixed and profile else names.GPU
    total = _integer(labels.get(prefix + names.MEMORY_SUFFIX))
    replicas = _replicas(labels, prefix + names.REPLICAS_SUFFIX)
    product = labels.get(names.GPU_PRODUCT, "")
    capable = labels.get(names.MIG_CAPABLE)
    return Offer(
        resource=resource,
        strategy=strategy,
        product=product,
        memory=_share(total, replicas) if strategy is Strategy.MPS else total,
        total=total,
        memory_label=prefix + names.MEMORY_SUFFIX,
        replicas=replicas,
        profile=profile,
        amount=amount,
        mig_capable=capable == "true" if capable else mig.is_mig_product(product),
        pins=pins,
    )


def _share(total: int | None, replicas: int) -> int | None:
    """What the MPS daemon leaves each client (k8s-device-plugin cmd/mps-control-daemon)."""
    return total // replicas if total and replicas else None


def _replicas(labels: Mapping[str, str], label: str) -> int:
    return _integer(labels.get(label)) or 0
