"""The labels of GPU Feature Discovery, which the NVIDIA GPU Operator deploys.

A resource name alone says nothing (NVIDIA k8s-device-plugin README): `nvidia.com/gpu` is a whole
GPU, a replica of one or a MIG device, as the labels tell (k8s-device-plugin: internal/lm).
"""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from webhook.core.api import mig, names
from webhook.core.gpu.dialect import (
    Advertised,
    Dialect,
    form_of,
    mebibytes_of,
    node_shows,
    whole_numbers,
)
from webhook.core.gpu.dialects.gfd.contradictions import (
    contradictions,
    device_count,
    explain_nothing,
)
from webhook.core.gpu.dialects.gfd.labels import (
    GPU_LABELS,
    MIG_CAPABLE,
    MIG_STATE,
    PRODUCT,
    SHARING,
    SHARING_SUFFIX,
    SLICE_LABELS,
    SLICES,
    TIMESTAMP,
    VIRTUAL,
)
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.unusable import Unusable, UnusableReason
from webhook.core.gpu.values import ExtendedResource, Form, NodeRequirement, Offer

_GPU: Final = frozenset({ResourceKind.GPU})
_GPUS: Final = frozenset({ResourceKind.GPU, ResourceKind.SHARED_GPU})
_SLICE: Final = frozenset({ResourceKind.SLICE})
_ANY_SLICE: Final = frozenset({ResourceKind.SLICE, ResourceKind.SHARED_SLICE})


def _gpu_is(value: str) -> NodeRequirement:
    return NodeRequirement(SHARING, "In", (value,))


def _slice_is(value: str) -> NodeRequirement:
    return NodeRequirement("{slice}" + SHARING_SUFFIX, "In", (value,))


_NOT_SLICED: Final = NodeRequirement(SLICES, "DoesNotExist")


def _forms(strategy: Strategy) -> tuple[Form, ...]:
    """The labels that make a resource name mean a strategy.

    MIG devices are `nvidia.com/gpu` under mig.strategy=single, of their own name under mixed.
    """
    match strategy:
        case Strategy.EXCLUSIVE:
            return (Form(strategy, _GPU, (_gpu_is("none"), _NOT_SLICED), GPU_LABELS),)
        case Strategy.MIG:
            return (
                Form(strategy, _GPU, (_gpu_is("none"),), GPU_LABELS, mig.PRODUCT_PATTERN),
                Form(strategy, _SLICE, (_slice_is("none"),), SLICE_LABELS),
            )
        case Strategy.MPS:
            return (Form(strategy, _GPUS, (_gpu_is("mps"),), GPU_LABELS),)
        case Strategy.TIME_SLICING:
            return (
                Form(strategy, _GPUS, (_gpu_is("time-slicing"),), GPU_LABELS),
                Form(strategy, _ANY_SLICE, (_slice_is("time-slicing"),), SLICE_LABELS),
            )
        case _:
            assert_never(strategy)


def _is_spoken(labels: Mapping[str, str]) -> bool:
    """Every GPU and every profile is labelled, since 0.15 also on its sharing."""
    return any(
        key in (SHARING, PRODUCT, GPU_LABELS.replicas, MIG_STATE)
        or (key.startswith(names.MIG) and key.endswith((SHARING_SUFFIX, ".count")))
        for key in labels
    )


def _read_offer(found: Advertised) -> Offer | Unusable:
    """The one form that the node shows, unless its labels contradict each other."""
    forms = [form_of(found.resource, form) for form in _candidates(found.resource.kind)]
    key = forms[0].requirements[0].key
    wrong = next(contradictions(found, key, forms[0].labels.replicas or ""), None)
    if wrong is not None:
        return wrong
    shown = [form for form in forms if node_shows(form, found.labels)]
    if len(shown) != 1:
        detail = f"{key}={found.labels.get(key)}"
        return found.unusable(UnusableReason.UNKNOWN_STRATEGY, detail)
    return _build(found, shown[0])


def _candidates(kind: ResourceKind) -> Iterator[Form]:
    return (form for each in Strategy for form in _forms(each) if kind in form.kinds)


def _build(found: Advertised, form: Form) -> Offer:
    labels = found.labels
    product = labels.get(PRODUCT, "")
    total = mebibytes_of(labels.get(form.labels.memory or ""))
    replicas = whole_numbers(labels.get(form.labels.replicas or "")) or 0
    capable = labels.get(MIG_CAPABLE)
    divided = total // replicas if total and replicas else None
    part = found.resource.profile is not None  # else `gpu.memory` is that of the device itself
    return Offer(
        delivery=ExtendedResource(found.resource.name),
        form=form,
        product=product,
        memory=divided if form.strategy.traits.divides_memory else total,
        total=total,
        gpu_memory=mebibytes_of(labels.get(GPU_LABELS.memory or "")) if part else None,
        replicas=replicas,
        profile=found.resource.profile or mig.of_product(product),
        amount=found.amount,
        existing=_existing(found, replicas),
        mig_capable=capable == "true" if capable else mig.is_mig_product(product),
        virtual=labels.get(VIRTUAL) == "true",
    )


def _existing(found: Advertised, replicas: int) -> int:
    """What is there, healthy or not, and not more than the labels know of.

    The kubelet's capacity also remembers devices that are gone.
    """
    count, _ = device_count(found)
    if count is None:
        return found.amount
    return max(found.amount, min(found.existing, count * max(replicas, 1)))


DIALECT: Final = Dialect(
    name="GPU Feature Discovery",
    is_spoken=_is_spoken,
    forms=_forms,
    read_offer=_read_offer,
    explain_nothing=explain_nothing,
    noise=frozenset({TIMESTAMP}),
    order=0,
)
