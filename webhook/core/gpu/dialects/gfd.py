"""The labels of GPU Feature Discovery, which the NVIDIA GPU Operator deploys.

A resource name alone says nothing (NVIDIA k8s-device-plugin README): `nvidia.com/gpu` is a whole
GPU, a replica of one or a MIG device, as the labels tell (k8s-device-plugin: internal/lm).
"""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from webhook.core.api import mig, names, quantity
from webhook.core.api.names import NVIDIA
from webhook.core.gpu.dialect import Advertised, Dialect, form_of, node_shows
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import (
    Contradiction,
    DeviceLabels,
    ExtendedResource,
    Form,
    NodeRequirement,
    Offer,
    Unusable,
)

_PRODUCT: Final = NVIDIA + "gpu.product"
_SLICES: Final = NVIDIA + "gpu.slices.gi"
_SHARING: Final = NVIDIA + "gpu.sharing-strategy"
_MIG_CAPABLE: Final = NVIDIA + "mig.capable"
_TIMESTAMP: Final = NVIDIA + "gfd.timestamp"
_SHARING_SUFFIX: Final = ".sharing-strategy"
_GPU_LABELS: Final = DeviceLabels(_PRODUCT, NVIDIA + "gpu.memory", NVIDIA + "gpu.replicas")
_SLICE_LABELS: Final = DeviceLabels(_PRODUCT, "{slice}.memory", "{slice}.replicas")

_GPU: Final = frozenset({ResourceKind.GPU})
_GPUS: Final = frozenset({ResourceKind.GPU, ResourceKind.SHARED_GPU})
_SLICE: Final = frozenset({ResourceKind.SLICE})
_ANY_SLICE: Final = frozenset({ResourceKind.SLICE, ResourceKind.SHARED_SLICE})


def _gpu_is(value: str) -> NodeRequirement:
    return NodeRequirement(_SHARING, "In", (value,))


def _slice_is(value: str) -> NodeRequirement:
    return NodeRequirement("{slice}" + _SHARING_SUFFIX, "In", (value,))


_NOT_SLICED: Final = NodeRequirement(_SLICES, "DoesNotExist")


def _forms(strategy: Strategy) -> tuple[Form, ...]:
    """The labels that make a resource name mean a strategy.

    MIG devices are `nvidia.com/gpu` under mig.strategy=single, of their own name under mixed.
    """
    match strategy:
        case Strategy.EXCLUSIVE:
            return (Form(strategy, _GPU, (_gpu_is("none"), _NOT_SLICED), _GPU_LABELS),)
        case Strategy.MIG:
            return (
                Form(strategy, _GPU, (_gpu_is("none"),), _GPU_LABELS, of_slices=True),
                Form(strategy, _SLICE, (_slice_is("none"),), _SLICE_LABELS),
            )
        case Strategy.MPS:
            return (Form(strategy, _GPUS, (_gpu_is("mps"),), _GPU_LABELS),)
        case Strategy.TIME_SLICING:
            return (
                Form(strategy, _GPUS, (_gpu_is("time-slicing"),), _GPU_LABELS),
                Form(strategy, _ANY_SLICE, (_slice_is("time-slicing"),), _SLICE_LABELS),
            )
        case _:
            assert_never(strategy)


def _is_spoken(labels: Mapping[str, str]) -> bool:
    """Every GPU, and under mig.strategy=mixed every profile, has a label on its sharing."""
    return _SHARING in labels or any(
        key.startswith(names.MIG) and key.endswith(_SHARING_SUFFIX) for key in labels
    )


def _read_offer(found: Advertised) -> Offer | Unusable:
    """The one form that the node shows, unless its labels contradict each other."""
    forms = [form_of(found.resource, form) for form in _candidates(found.resource.kind)]
    shown = [form for form in forms if node_shows(form, found.labels)]
    contradiction = next(_contradictions(found, forms[0].labels.replicas), None)
    if contradiction is not None:
        return contradiction
    if len(shown) != 1:
        key = forms[0].requirements[0].key
        text = f"{key}={found.labels.get(key)!r} is no way to give {found.resource.name}"
        return found.unusable(Contradiction.NO_STRATEGY, text)
    return _build(found, shown[0])


def _candidates(kind: ResourceKind) -> Iterator[Form]:
    return (form for each in Strategy for form in _forms(each) if kind in form.kinds)


def _contradictions(found: Advertised, replicas_label: str) -> Iterator[Unusable]:
    """Labels that cannot be true together: stale ones, or ones that somebody wrote.

    | of | labels |
    |---|---|
    | any | product with -MIG-INVALID |
    | any | sharing none, replicas over 1 |
    | nvidia.com/gpu | sharing none, product with -SHARED |
    | nvidia.com/gpu | sharing none, product with -MIG-, no slices |
    | nvidia.com/gpu[.shared] | sharing mps, slices |
    """
    labels, profile = found.labels, found.resource.profile
    product = labels.get(_PRODUCT, "")
    if "-MIG-INVALID" in product:
        yield found.unusable(Contradiction.INVALID_MIG, f"{_PRODUCT}={product}")
    key = _SHARING if profile is None else profile.resource + _SHARING_SUFFIX
    sharing = labels.get(key)
    replicas = _replicas(labels, replicas_label)
    if sharing == "none" and replicas > 1:
        text = f"{key}=none, {replicas_label}={replicas}"
        yield found.unusable(Contradiction.REPLICAS_UNSHARED, text)
    if profile is not None:
        return
    if sharing == "none" and "-SHARED" in product:
        text = f"{key}=none, {_PRODUCT}={product}"
        yield found.unusable(Contradiction.SHARED_PRODUCT_UNSHARED, text)
    if sharing == "none" and "-MIG-" in product and _SLICES not in labels:
        text = f"{_PRODUCT}={product} without {_SLICES}"
        yield found.unusable(Contradiction.SLICES_UNLABELLED, text)
    if sharing == "mps" and _SLICES in labels:
        yield found.unusable(Contradiction.MPS_ON_SLICES, f"{key}=mps with {_SLICES}")


def _build(found: Advertised, form: Form) -> Offer:
    labels = found.labels
    product = labels.get(_PRODUCT, "")
    total = _integer(labels.get(form.labels.memory))
    replicas = _replicas(labels, form.labels.replicas)
    capable = labels.get(_MIG_CAPABLE)
    divided = total // replicas if total and replicas else None
    part = found.resource.profile is not None  # else `gpu.memory` is that of the device itself
    return Offer(
        delivery=ExtendedResource(found.resource.name),
        form=form,
        product=product,
        memory=divided if form.strategy.traits.divides_memory else total,
        total=total,
        gpu_memory=_integer(labels.get(_GPU_LABELS.memory)) if part else None,
        replicas=replicas,
        profile=found.resource.profile or mig.of_product(product),
        amount=found.amount,
        mig_capable=capable == "true" if capable else mig.is_mig_product(product),
    )


def _replicas(labels: Mapping[str, str], label: str) -> int:
    return _integer(labels.get(label)) or 0


def _integer(text: str | None) -> int | None:
    try:
        return None if text is None else quantity.count(text)
    except quantity.QuantityError:
        return None


DIALECT: Final = Dialect(
    name="GPU Feature Discovery",
    is_spoken=_is_spoken,
    forms=_forms,
    read_offer=_read_offer,
    noise=frozenset({_TIMESTAMP}),
)
