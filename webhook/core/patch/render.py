"""Pod and Decision -> JSON Patch operations (RFC 6902), the fewest that do it.

Decides nothing.

Operations are written by hand: computing a difference costs fifty times more and pairs
unrelated fields that happen to be equal. A second run on the result yields nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from webhook.core.api import names
from webhook.core.api.containers import ContainerRef
from webhook.core.api.node import Taint
from webhook.core.api.pod import Container, EnvVar, Pod
from webhook.core.checks.runtime_class import is_nvidia_runtime
from webhook.core.decision.values import Allocation, Decision, GpuRequest, Question
from webhook.core.gpu.placement import tolerates
from webhook.core.gpu.resources import requests_device
from webhook.core.gpu.values import ExtendedResource
from webhook.core.patch import affinity
from webhook.core.patch.operation import Op, pointer

_HIDDEN: Final = EnvVar(names.VISIBLE_DEVICES, names.NO_DEVICES)


def render(question: Question, decision: Decision, annotation: str | None) -> tuple[Op, ...]:
    """Return the operations that give every container of the pod what was decided.

    `annotation` is the decision record that the pod is to carry, None where it has it already.
    """
    allocations = decision.allocations
    if not allocations:
        return tuple(hide(question, question.idle)) if _may_see_gpus(question) else ()
    return (
        *(op for each in allocations for op in _delivery(each, question)),
        *hide(question, question.idle),
        *(op for each in allocations for op in _memory_limit(each, question)),
        *affinity.operations(question.pod, allocations),
        *_tolerations(question.pod, decision.tolerations),
        *_metadata(question.pod, decision, annotation),
    )


def hide(question: Question, idle: tuple[ContainerRef, ...]) -> Iterator[Op]:
    """Set NVIDIA_VISIBLE_DEVICES=void where no device is requested: images say `all` (NF 4.1).

    A value that the container itself sets is left: a check refuses it, which says more than
    changing it in silence.
    """
    for ref in idle:
        container = question.containers[ref]
        if not requests_device(container):
            yield from _set_env(ref, container, _HIDDEN)


def _may_see_gpus(question: Question) -> bool:
    """Whether a pod without a GPU is one that the API server has rewritten.

    That is one with NVIDIA's runtime, or which names a device of NVIDIA's: a zero is a name too.
    """
    return is_nvidia_runtime(question.pod.spec.runtime_class_name) or any(
        name.startswith((names.NVIDIA, names.DEVICE_CLASS))
        for each in question.containers.values()
        if each.resources
        for name in (*(each.resources.limits or ()), *(each.resources.requests or ()))
    )


def _delivery(allocation: Allocation, question: Question) -> Iterator[Op]:
    """Have the container get the device in the way that the offer delivers it."""
    delivery = allocation.offer.delivery
    match delivery:
        case ExtendedResource():
            container = question.containers[allocation.request.container]
            yield from _rename(allocation.request, container, delivery.name)
        case _:
            assert_never(delivery)


def _rename(request: GpuRequest, container: Container, name: str) -> Iterator[Op]:
    if request.resource == name:
        return
    resources = container.resources
    for key in ("limits", "requests"):
        values = (getattr(resources, key) if resources else None) or {}
        at = (*request.container.path, "resources", key)
        if request.resource in values:
            yield Op("remove", pointer(*at, request.resource))
        if request.resource in values or name in values:  # there as a zero
            yield Op("add", pointer(*at, name), values.get(request.resource, request.raw))


def _memory_limit(allocation: Allocation, question: Question) -> Iterator[Op]:
    """Lower the container's memory to what the pod's annotation says, where a variable can."""
    limit = allocation.offer.strategy.traits.memory_limit
    if limit is not None and question.memory is not None:
        ref = allocation.request.container
        variable = EnvVar(limit.name, (limit.value or "").format(question.memory))
        yield from _set_env(ref, question.containers[ref], variable)


def _set_env(ref: ContainerRef, container: Container, variable: EnvVar) -> Iterator[Op]:
    """Add a variable unless the container has one of that name."""
    present = container.env or ()
    if variable.name in [each.name for each in present]:
        return
    value = {"name": variable.name, "value": variable.value}
    if container.env is None:
        yield Op("add", pointer(*ref.path, "env"), [value])
    else:
        yield Op("add", pointer(*ref.path, "env", "-"), value)


def _tolerations(subject: Pod, taints: tuple[Taint, ...]) -> Iterator[Op]:
    present = subject.spec.tolerations
    missing = {(t.key, t.effect): t for t in taints if not tolerates(present or (), t)}
    values = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in missing]
    if values and present is None:
        yield Op("add", pointer("spec", "tolerations"), values)
    else:
        yield from (Op("add", pointer("spec", "tolerations", "-"), each) for each in values)


def pod_strategy(allocations: tuple[Allocation, ...]) -> str | None:
    """Return the one strategy of the pod, `mixed` for several, None without any."""
    strategies = {each.offer.strategy for each in allocations}
    if len(strategies) > 1:
        return "mixed"
    return next((strategy.value for strategy in strategies), None)


def _metadata(subject: Pod, decision: Decision, annotation: str | None) -> Iterator[Op]:
    label = {names.STRATEGY: pod_strategy(decision.allocations) or ""}
    note = {names.DECISION: annotation} if annotation is not None else {}
    if subject.metadata is None:
        yield Op("add", pointer("metadata"), {"labels": label, "annotations": note})
        return
    yield from _entry("labels", subject.metadata.labels, label)
    if note:
        yield from _entry("annotations", subject.metadata.annotations, note)


def _entry(key: str, present: Mapping[str, str] | None, wanted: Mapping[str, str]) -> Iterator[Op]:
    """Set one label or annotation, creating the map where there is none."""
    if present is None:
        yield Op("add", pointer("metadata", key), dict(wanted))
        return
    for name, value in wanted.items():
        if present.get(name) != value:
            yield Op("add", pointer("metadata", key, name), value)
