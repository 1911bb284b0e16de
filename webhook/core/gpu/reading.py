"""One node to what it offers, and what it does not offer and why."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from webhook.core.api import names, node, quantity
from webhook.core.api.node import Node
from webhook.core.api.quantity import Raw
from webhook.core.gpu.dialect import Advertised, form_of, node_shows
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.meaning import FORMS
from webhook.core.gpu.other_plugins import sharing, sharing_of_hami
from webhook.core.gpu.resources import NETWORK, is_gpu, parse_resource
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable
from webhook.core.gpu.values import DeclaredPool, Offer

_MOMENTARY: Final = (UnusableReason.NOTHING_ADVERTISED, UnusableReason.MIG_CHANGING)
_NAME: Final = "have the device plugin name them nvidia.com/gpu (its configuration's resources)"
_UNHEALTHY: Final = ("UnhealthyNvidiaDevicePlugin", "UnhealthyNvidiaDCGMServices")
"""Conditions of managed GPU nodes (AKS) that are true when what serves the GPUs is broken."""


class NodeOffers(Struct, frozen=True):
    """What one node offers, and what it has and does not offer.

    `barred` are the resources that it advertises and does not offer.
    """

    offers: tuple[Offer, ...]
    unusable: tuple[Unusable, ...]
    barred: tuple[str, ...]


def read_node(subject: Node, pools: tuple[DeclaredPool, ...] = ()) -> NodeOffers:
    """Return what one node offers, by its labels, else by pools that select it."""
    labels = node.labels(subject)
    selecting = tuple(each for each in pools if each.offer and selects(each, labels))
    advertised, wrong = _advertised(subject)
    sick = next((each for each in node.conditions(subject) if each in _UNHEALTHY), None)
    found = [
        each.unusable(UnusableReason.UNHEALTHY, f"{sick}=True")
        if sick
        else _read(each, selecting, subject)
        for each in advertised
    ]
    shared = sharing(subject)
    found = [
        replace(shared, resource=each.resource) if shared and isinstance(each, Offer) else each
        for each in found
    ]
    offers = tuple(each for each in found if isinstance(each, Offer))
    wrong = (*wrong, *(each for each in found if isinstance(each, Unusable)))
    if not advertised and not wrong:
        wrong = (shared,) if shared else tuple(_nothing(subject))
    given = {each.resource for each in offers}
    barred = (each.resource.name for each in advertised if each.resource.name not in given)
    return NodeOffers(offers, wrong, tuple(barred))


def read_pool(pool: DeclaredPool) -> NodeOffers:
    """Return what the next node of a pool will offer, if the pool says it."""
    if pool.offer is None:
        return read_node(pool.node)
    return NodeOffers((pool.offer,) if pool.amount else (), (), ())


def selects(pool: DeclaredPool, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels is of the pool."""
    return all(labels.get(key) == value for key, value in pool.selector.items())


def is_of_gpus(subject: Node) -> bool:
    """Whether a node has something to say of GPUs, so that it must be kept."""
    labels = node.labels(subject)
    if node.allocatable(subject) or any(key.startswith(names.NVIDIA) for key in labels):
        return True
    return any(_nothing(subject)) or sharing(subject) is not None


def tells_of_gpus(subject: Node) -> bool:
    """Whether a node tells what it gives, or what contradicts itself.

    One that does not may only have lost its labels for a moment.
    """
    found = read_node(subject)
    return bool(found.offers) or any(
        not each.reason.silent and each.reason not in _MOMENTARY for each in found.unusable
    )


def _read(found: Advertised, pools: tuple[DeclaredPool, ...], subject: Node) -> Offer | Unusable:
    """What a node gives under one name.

    | the labels say | pools that select the node say | |
    |---|---|---|
    | a way to give it | nothing, or the same | that way |
    | a way to give it | another way | declared_otherwise |
    | what contradicts itself | anything | why not |
    | nothing | one way | that way, if the amount fits |
    | nothing | two ways | declared_twice |
    | nothing | nothing | why not |
    | no way, and HAMi registered fewer GPUs | anything | other_sharing |
    """
    read = _read_labels(found)
    if isinstance(read, Unusable) and (shared := sharing_of_hami(found, subject)):
        return shared
    declared = [each for each in pools if each.offer and each.offer.resource == found.resource.name]
    if not declared:
        return read
    pool = declared[0]
    ways = {(each.offer.strategy, each.offer.memory) for each in declared if each.offer}
    if len(ways) > 1:
        listed = " and ".join(each.name for each in declared)
        return found.unusable(UnusableReason.DECLARED_TWICE, f"pools {listed}")
    if isinstance(read, Offer):
        if pool.offer and pool.offer.strategy is not read.strategy:
            detail = f"pool {pool.name}: {pool.offer.strategy}, labels: {read.strategy}"
            return found.unusable(UnusableReason.DECLARED_OTHERWISE, detail)
        return read
    return _declared(found, pool) if read.reason.silent else read


def _declared(found: Advertised, pool: DeclaredPool) -> Offer | Unusable:
    """What a pool says of a node that is there, if its amount fits."""
    offer = pool.offer
    if offer is None:
        raise ValueError(f"pool {pool.name} says nothing of its nodes")
    if found.amount % offer.replicas or found.amount > (pool.amount or found.amount):
        says = f"pool {pool.name}: replicas {offer.replicas}, amount {pool.amount}"
        detail = f"{found.amount} allocatable, {says}"
        return found.unusable(UnusableReason.DECLARED_OTHERWISE, detail)
    return replace(offer, amount=found.amount, existing=max(found.amount, found.existing))


def _read_labels(found: Advertised) -> Offer | Unusable:
    """Return the first dialect's offer, unless forms of two strategies are shown."""
    silent: Unusable | None = None
    for dialect in DIALECTS:
        if not dialect.is_spoken(found.labels):
            continue
        read = dialect.read_offer(found)
        if isinstance(read, Offer):
            return _unless_others_disagree(found, read)
        if not read.reason.silent:
            return read
        silent = silent or read
    return silent or found.unusable(UnusableReason.LABELS_MISSING, "no label of any dialect")


def _unless_others_disagree(found: Advertised, read: Offer) -> Offer | Unusable:
    forms = (form_of(found.resource, form) for form in FORMS[found.resource.kind])
    for form in forms:
        if form.strategy is not read.strategy and node_shows(form, found.labels):
            shown = ", ".join(
                f"{each.key}={found.labels[each.key]}"
                for each in (*read.form.requirements, *form.requirements)
                if each.key in found.labels
            )
            return found.unusable(UnusableReason.SYSTEMS_DISAGREE, shown)
    return read


def _nothing(subject: Node) -> Iterator[Unusable]:
    """Return why a GPU node advertises nothing of ours, by the first dialect that knows."""
    labels, others = node.labels(subject), sorted(node.allocatable(subject).items())
    spoken = (each for each in DIALECTS if each.is_spoken(labels))
    wrong = next(filter(None, (each.explain_nothing(labels) for each in spoken)), None)
    other = next((name for name, raw in others if _is_other(name, raw)), None)
    if other and (wrong is None or wrong.reason is UnusableReason.NOTHING_ADVERTISED):
        detail = f"{other} is allocatable, under no name of ours"
        yield unusable(UnusableReason.NOTHING_ADVERTISED, detail, mend=_NAME)
    elif wrong:
        yield wrong


def _is_other(name: str, raw: Raw) -> bool:
    ours = is_gpu(name) or re.match(NETWORK, name)
    return not ours and not quantity.is_zero(raw)


def _advertised(subject: Node) -> tuple[list[Advertised], tuple[Unusable, ...]]:
    """The GPU resources of a node by name, and those whose quantity cannot be read."""
    amounts: dict[str, int] = {}
    malformed: list[Unusable] = []
    for name, raw in sorted(node.allocatable(subject).items()):
        if parse_resource(name) is None:
            continue
        try:
            amounts[name] = quantity.count(raw)
        except quantity.QuantityError as error:
            malformed.append(unusable(UnusableReason.MALFORMED_QUANTITY, str(error), name))
    labels, present = node.labels(subject), {k: n for k, n in amounts.items() if n}
    found = [
        Advertised(resource, amount, labels, _existing(subject, name, amount), present)
        for name, amount in present.items()
        if (resource := parse_resource(name)) is not None
    ]
    return found, tuple(malformed)


def _existing(subject: Node, name: str, amount: int) -> int:
    try:
        return quantity.count(node.capacity(subject).get(name, amount))
    except quantity.QuantityError:
        return amount
