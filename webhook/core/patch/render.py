"""Pod and Decision -> JSON Patch operations (RFC 6902), the fewest that do it.

Decides nothing.

Operations are written by hand: computing a difference costs fifty times more and pairs
unrelated fields that happen to be equal. A second run on the result yields nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, assert_never

from msgspec import UNSET, Struct, UnsetType

from webhook.core.api import names, pod
from webhook.core.api.containers import ContainerRef
from webhook.core.api.node import Taint
from webhook.core.api.pod import Container, EnvVar, NodeSelectorTerm, Pod
from webhook.core.checks.runtime_class import is_nvidia_runtime
from webhook.core.decision.values import Allocation, Decision, GpuRequest, Question
from webhook.core.gpu.placement import tolerates
from webhook.core.gpu.resources import requests_device
from webhook.core.gpu.values import ExtendedResource, NodeRequirement

_NODE_AFFINITY: Final = ("spec", "affinity", "nodeAffinity")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_HIDDEN: Final = EnvVar(names.VISIBLE_DEVICES, names.NO_DEVICES)


class Op(Struct, frozen=True, omit_defaults=True):
    """One operation. `path` is a JSON Pointer (RFC 6901)."""

    op: Literal["add", "remove"]
    path: str
    value: Any | UnsetType = UNSET


def pointer(*keys: str) -> str:
    """Join keys to a JSON Pointer: `~` becomes `~0`, `/` becomes `~1`."""
    return "".join(["/" + key.replace("~", "~0").replace("/", "~1") for key in keys])


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
        *_affinity(question.pod, _requirements(allocations)),
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


def added_affinity(subject: Pod, allocations: tuple[Allocation, ...]) -> Iterator[tuple[str, str]]:
    """Return the key and operator of each node requirement that some term of the pod lacks."""
    terms = pod.required_terms(subject)
    for each in _requirements(allocations):
        if terms is None or not all(_has(term, each) for term in terms):
            yield each.key, each.operator


def _requirements(allocations: tuple[Allocation, ...]) -> tuple[NodeRequirement, ...]:
    return tuple(dict.fromkeys(r for each in allocations for r in each.requirements))


def _affinity(subject: Pod, requirements: tuple[NodeRequirement, ...]) -> Iterator[Op]:
    """Put the requirements into every term: terms are alternatives, so each must carry them."""
    terms = pod.required_terms(subject)
    if terms is None:
        yield _first_term(subject, [_expression(each) for each in requirements])
        return
    for index, term in enumerate(terms):
        at = (*_NODE_AFFINITY, _REQUIRED, "nodeSelectorTerms", str(index), "matchExpressions")
        if not term.match_expressions and not term.match_fields:
            continue  # such a term matches nothing; with one it would begin to
        missing = [_expression(each) for each in requirements if not _has(term, each)]
        if missing and term.match_expressions is None:
            yield Op("add", pointer(*at), missing)
        elif missing:
            yield from (Op("add", pointer(*at, "-"), each) for each in missing)


def _first_term(subject: Pod, expressions: list[dict[str, Any]]) -> Op:
    """Create the required node affinity with as many parents as are missing."""
    required = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    affinity = subject.spec.affinity
    if affinity is None:
        return Op("add", pointer("spec", "affinity"), {"nodeAffinity": {_REQUIRED: required}})
    if affinity.node_affinity is None:
        return Op("add", pointer(*_NODE_AFFINITY), {_REQUIRED: required})
    return Op("add", pointer(*_NODE_AFFINITY, _REQUIRED), required)


def _expression(required: NodeRequirement) -> dict[str, Any]:
    bare = {"key": required.key, "operator": required.operator}
    return bare | {"values": list(required.values)} if required.values else bare


def _has(term: NodeSelectorTerm, required: NodeRequirement) -> bool:
    return any(
        each.key == required.key
        and each.operator == required.operator
        and set(each.values or ()) == set(required.values)
        for each in term.match_expressions or ()
    )


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
