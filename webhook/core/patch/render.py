"""Pod and Decision -> JSON Patch operations (RFC 6902), the fewest that do it; decides nothing.

Operations are written by hand: computing a difference costs fifty times more and pairs
unrelated fields that happen to be equal. A second run on the result yields nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from webhook.core.api import names, pod
from webhook.core.api.model import (
    Allocation,
    Ask,
    ContainerRef,
    Decision,
    Facts,
    NodeRequirement,
    Strategy,
)
from webhook.core.api.node import Taint
from webhook.core.api.pod import Container, EnvVar, NodeSelectorTerm, Pod
from webhook.core.decision.classify import places
from webhook.core.gpu.placement import tolerates

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
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def render(facts: Facts, decision: Decision) -> tuple[Op, ...]:
    """Return the operations that give every container of the pod what was decided."""
    subject, given = facts.pod, decision.given
    if not given:
        return ()
    pins = tuple(dict.fromkeys(pin for each in given for pin in each.pins))
    return (
        *_resources(subject, given),
        *_env(subject, facts, given),
        *_affinity(subject, pins),
        *_tolerations(subject, decision.tolerations),
        *_metadata(subject, facts, decision),
    )


def hide(subject: Pod, idle: tuple[ContainerRef, ...]) -> Iterator[Op]:
    """Set NVIDIA_VISIBLE_DEVICES=void where no GPU is asked: an image may say `all` (NF 4.1).

    A value that the container itself sets is left: `guard` refuses it, which says more than
    changing it in silence.
    """
    idle_paths = {place.path for place in idle}
    for place, container in places(subject):
        if place.path in idle_paths:
            yield from _set_env(place, container, _HIDDEN)


def _resources(subject: Pod, given: tuple[Allocation, ...]) -> Iterator[Op]:
    containers = {place.path: container for place, container in places(subject)}
    for each in given:
        if each.ask.resource == each.offer.resource:
            continue
        resources = containers[each.ask.place.path].resources
        for key in ("limits", "requests"):
            values = (getattr(resources, key) if resources else None) or {}
            at = (*each.ask.place.path, "resources", key)
            if each.ask.resource in values:
                yield Op("remove", pointer(*at, each.ask.resource))
            if each.ask.resource in values or each.offer.resource in values:  # there as a zero
                yield Op(
                    "add",
                    pointer(*at, each.offer.resource),
                    values.get(each.ask.resource, each.ask.raw),
                )


def _env(subject: Pod, facts: Facts, given: tuple[Allocation, ...]) -> Iterator[Op]:
    yield from hide(subject, facts.idle)
    containers = {place.path: container for place, container in places(subject)}
    for each in given:
        if each.offer.strategy is Strategy.MPS and facts.memory is not None:
            # The daemon's own limit is the share; a client can only lower it (NVIDIA MPS docs).
            limit = EnvVar(names.MPS_MEMORY_LIMIT, f"0={facts.memory}M")
            place = each.ask.place
            yield from _set_env(place, containers[place.path], limit)


def _set_env(place: ContainerRef, container: Container, variable: EnvVar) -> Iterator[Op]:
    """Add a variable unless the container has one of that name."""
    present = container.env or ()
    if any(each.name == variable.name for each in present):
        return
    value = {"name": variable.name, "value": variable.value}
    if container.env is None:
        yield Op("add", pointer(*place.path, "env"), [value])
    else:
        yield Op("add", pointer(*place.path, "env", "-"), value)


def _affinity(subject: Pod, pins: tuple[NodeRequirement, ...]) -> Iterator[Op]:
    """Put the pins into every term: terms are alternatives, so each must carry them."""
    terms = pod.required_terms(subject)
    if terms is None:
        yield _first_term(subject, [_expression(pin) for pin in pins])
        return
    for index, term in enumerate(terms):
        at = (*_NODE_AFFINITY, _REQUIRED, "nodeSelectorTerms", str(index), "matchExpressions")
        if not term.match_expressions and not term.match_fields:
            continue  # such a term matches nothing; with a pin it would begin to
        missing = [_expression(pin) for pin in pins if not _has(term, pin)]
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


def _expression(pin: NodeRequirement) -> dict[str, Any]:
    bare = {"key": pin.key, "operator": pin.operator}
    return bare | {"values": list(pin.values)} if pin.values else bare


def _has(term: NodeSelectorTerm, pin: NodeRequirement) -> bool:
    return any(
        each.key == pin.key
        and each.operator == pin.operator
        and set(each.values or ()) == set(pin.values)
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


def strategy_of(given: tuple[Allocation, ...]) -> str | None:
    """The one strategy of the pod, `mixed` for several, None without any."""
    strategies = {each.offer.strategy for each in given}
    if len(strategies) > 1:
        return "mixed"
    return next((strategy.value for strategy in strategies), None)


def _metadata(subject: Pod, facts: Facts, decision: Decision) -> Iterator[Op]:
    label = {names.STRATEGY: strategy_of(decision.given) or ""}
    note = {names.DECISION: _summary(facts, decision)}
    if subject.metadata is None:
        yield Op("add", pointer("metadata"), {"labels": label, "annotations": note})
        return
    yield from _entry("labels", subject.metadata.labels, label)
    present = pod.annotations(subject).get(names.DECISION)
    if present is None or _without_from(present) != _without_from(note[names.DECISION]):
        yield from _entry("annotations", subject.metadata.annotations, note)


def _entry(key: str, present: Mapping[str, str] | None, wanted: Mapping[str, str]) -> Iterator[Op]:
    """Set one label or annotation, creating the map where there is none."""
    if present is None:
        yield Op("add", pointer("metadata", key), dict(wanted))
        return
    for name, value in wanted.items():
        if present.get(name) != value:
            yield Op("add", pointer("metadata", key, name), value)


def _summary(facts: Facts, decision: Decision) -> str:
    """The decision annotation: compact JSON, for people and tools; nothing ever trusts it."""
    containers = [
        {
            "name": each.ask.place.name,
            "from": amount(each.ask, each.ask.resource),
            "to": amount(each.ask, each.offer.resource),
            "strategy": each.offer.strategy.value,
            "reason": each.reason.code,
        }
        for each in decision.given
    ]
    whole = {"workload": facts.workload.value, "tenant": facts.tenant, "containers": containers}
    return msgspec.json.encode(whole).decode()


def amount(ask: Ask, resource: str) -> dict[str, int]:
    """A resource and a count, as the decision is told in JSON."""
    return {resource: ask.count}


def _without_from(text: str) -> Any:
    """What an annotation says but for the original asks, which a second run cannot know."""
    try:
        whole = msgspec.json.decode(text)
        return whole | {"containers": [each | {"from": None} for each in whole["containers"]]}
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        return text
