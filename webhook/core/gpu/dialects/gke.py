"""The labels of GKE, whose own device plugin calls everything `nvidia.com/gpu`.

Sources: GoogleCloudPlatform/container-engine-accelerators (pkg/gpu/nvidia/manager.go,
gpusharing.go, partition_gpu.go); Google, "About GPU sharing strategies in GKE".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from webhook.core.api import mig
from webhook.core.api.mig import Profile, ProfileError
from webhook.core.gpu.dialect import (
    Advertised,
    Dialect,
    node_shows,
    too_many,
    uneven,
    whole_numbers,
)
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.unusable import Unusable, UnusableReason
from webhook.core.gpu.values import DeviceLabels, ExtendedResource, Form, NodeRequirement, Offer

_GOOGLE: Final = "cloud.google.com/"
_ACCELERATOR: Final = _GOOGLE + "gke-accelerator"
_PARTITION: Final = _GOOGLE + "gke-gpu-partition-size"
_SHARING: Final = _GOOGLE + "gke-gpu-sharing-strategy"
_CLIENTS: Final = _GOOGLE + "gke-max-shared-clients-per-gpu"
_COUNT: Final = _GOOGLE + "gke-accelerator-count"
_MACHINE: Final = "node.kubernetes.io/instance-type"  # a2-highgpu-8g has 8 GPUs
_OTHER_PLUGIN: Final = "gke-no-default-nvidia-gpu-device-plugin"

# CoreWeave writes the same key with names of its own, such as H100_NVLINK_80GB.
_MODEL: Final = r"^nvidia-[a-z0-9-]+\Z"
_LABELS: Final = DeviceLabels(_ACCELERATOR, None, _CLIENTS, _PARTITION)
_GPU: Final = frozenset({ResourceKind.GPU})
_GOOGLES_PLUGIN: Final = NodeRequirement(_OTHER_PLUGIN, "DoesNotExist")
_UNSHARED: Final = NodeRequirement(_SHARING, "DoesNotExist")
_UNCUT: Final = NodeRequirement(_PARTITION, "DoesNotExist")
_CUT: Final = NodeRequirement(_PARTITION, "Exists")
# Node pools have the first spelling, those that GKE makes by itself the last.
_MPS: Final = NodeRequirement(_SHARING, "In", ("mps", "MPS"))
_TURNS: Final = NodeRequirement(_SHARING, "In", ("time-sharing", "TIME_SHARING"))

# What the driver reports of whole GPUs, in MiB: no label says it. Those that GKE also cuts into
# fractions for small machines (RTX PRO 6000) are left out.
_MEMORY: Final = {
    "nvidia-tesla-p4": 7611,
    "nvidia-tesla-p100": 16276,
    "nvidia-tesla-v100": 16160,
    "nvidia-tesla-t4": 15109,
    "nvidia-l4": 23034,
    "nvidia-tesla-a100": 40536,
    "nvidia-a100-80gb": 81251,
    "nvidia-h100-80gb": 81559,
    "nvidia-h100-mega-80gb": 81559,
    "nvidia-h200-141gb": 143771,
    "nvidia-b200": 183359,
    "nvidia-gb200": 189471,
}


def _forms(strategy: Strategy) -> tuple[Form, ...]:
    required: tuple[NodeRequirement, ...]
    match strategy:
        case Strategy.EXCLUSIVE:
            required = (_GOOGLES_PLUGIN, _UNSHARED, _UNCUT)
        case Strategy.MIG:
            required = (_GOOGLES_PLUGIN, _UNSHARED, _CUT)
        case Strategy.MPS:
            required = (_GOOGLES_PLUGIN, _MPS)
        case Strategy.TIME_SLICING:
            required = (_GOOGLES_PLUGIN, _TURNS)
        case _:
            assert_never(strategy)
    host_ipc = strategy is Strategy.MPS
    return (Form(strategy, _GPU, required, _LABELS, _MODEL, needs_host_ipc=host_ipc),)


def _is_spoken(labels: Mapping[str, str]) -> bool:
    """One of Google's models, and another label of Google's."""
    others = any(key.startswith(_GOOGLE) and key != _ACCELERATOR for key in labels)
    return others and bool(re.search(_MODEL, labels.get(_ACCELERATOR, "")))


def _read_offer(found: Advertised) -> Offer | Unusable:
    labels = found.labels
    if _OTHER_PLUGIN in labels:
        mend = "enable GPU Feature Discovery there (gfd.enabled), or declare the pool (pools)"
        detail = f"{_OTHER_PLUGIN}={labels[_OTHER_PLUGIN]}: Google's device plugin is off"
        return found.unusable(UnusableReason.LABELS_MISSING, detail, mend)
    wrong = next(_contradictions(found), None)
    if wrong is not None:
        return wrong
    forms = [form for each in Strategy for form in _forms(each) if node_shows(form, labels)]
    profile = _profile(labels)
    if len(forms) != 1 or found.resource.kind not in _GPU:
        detail = f"{_SHARING}={labels.get(_SHARING)}"
        return found.unusable(UnusableReason.UNKNOWN_STRATEGY, detail)
    return _build(found, forms[0], profile)


def _profile(labels: Mapping[str, str]) -> Profile | None:
    try:
        return mig.parse_profile(labels.get(_PARTITION, ""))
    except ProfileError:
        return None


def _contradictions(found: Advertised) -> Iterator[Unusable]:
    """Labels and amounts that cannot be true together.

    People write a number of clients by hand, so that alone proves no sharing; above one it
    contradicts a pool without.
    """
    labels = found.labels
    clients, sharing = whole_numbers(labels.get(_CLIENTS)), labels.get(_SHARING)
    of_clients = f"{_SHARING}={sharing}, {_CLIENTS}={labels.get(_CLIENTS)}"
    if _PARTITION in labels and _profile(labels) is None:
        detail = f"{_PARTITION}={labels[_PARTITION]}"
        yield found.unusable(UnusableReason.UNKNOWN_STRATEGY, detail)
    if sharing is None and (clients or 1) > 1:
        yield found.unusable(UnusableReason.REPLICAS_DIFFER, of_clients)
    if sharing is not None:
        yield from uneven(found, clients, of_clients)
    of_machine = re.search(r"gpu-(\d+)g\Z", labels.get(_MACHINE, ""))
    key, text = (_MACHINE, of_machine[1]) if of_machine else (_COUNT, labels.get(_COUNT))
    count = whole_numbers(text)
    if count is not None and _PARTITION not in labels:
        shares = clients or 1 if sharing is not None else 1
        yield from too_many(found, count * shares, f"{key}={labels[key]}, {of_clients}")


def _build(found: Advertised, form: Form, profile: Profile | None) -> Offer:
    product = found.labels[_ACCELERATOR]
    clients = whole_numbers(found.labels.get(_CLIENTS)) or 0
    replicas = 1 if form.strategy.traits.isolated else clients
    total = mig.least_memory(profile) if profile else _MEMORY.get(product)
    divides = form.strategy.traits.divides_memory
    divided = total // replicas if total and replicas else None
    return Offer(
        delivery=ExtendedResource(found.resource.name),
        form=form,
        product=product,
        memory=divided if divides else total,
        total=total,
        gpu_memory=_MEMORY.get(product) if profile else None,
        replicas=replicas,
        profile=profile,
        amount=found.amount,
        existing=found.existing,
        mig_capable=mig.is_mig_product(product),
    )


DIALECT: Final = Dialect(name="GKE", is_spoken=_is_spoken, forms=_forms, read_offer=_read_offer)
