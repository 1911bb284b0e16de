"""One node to what it offers, and what it does not offer and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from webhook.core.api import names, node, quantity
from webhook.core.api.node import Node
from webhook.core.gpu.dialect import Advertised, form_of, node_shows
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.meaning import FORMS
from webhook.core.gpu.resources import parse_resource
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable
from webhook.core.gpu.values import DeclaredPool, Offer

_MOMENTARY: Final = (UnusableReason.NOTHING_ADVERTISED, UnusableReason.MIG_CHANGING)
_OTHER_SHARES: Final = (
    *("volcano.sh/vgpu-", "aliyun.com/gpu", "tencent.com/vcuda-", "koordinator.sh/gpu"),
    *("4pd.io/vgpu", "k8s.amazonaws.com/vgpu", "nvidia.com/gpumem", "nvidia.com/gpucores"),
)
"""How names of plugins and schedulers begin that share the GPUs which ours gives too."""
_HAMI: Final = (
    "use HAMi's own resources there (nvidia.com/gpumem), or set its deviceSplitCount to 1"
)
_NAME: Final = "have the device plugin name them nvidia.com/gpu (its configuration's resources)"
_UNHEALTHY: Final = ("UnhealthyNvidiaDevicePlugin", "UnhealthyNvidiaDCGMServices")
"""Conditions of managed GPU nodes (AKS) that are true when what serves the GPUs is broken."""


@dataclass(frozen=True, slots=True)
class NodeOffers:
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
        else _read(each, selecting, node.hami_devices(subject))
        for each in advertised
    ]
    shared = _shared(subject)
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


def _shared(subject: Node) -> Unusable | None:
    """Why GPUs are not offered that another plugin shares under names of its own."""
    name = next(iter(node.allocatable(subject, _OTHER_SHARES)), None)
    return unusable(UnusableReason.OTHER_SHARING, f"{name} is allocatable") if name else None


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
    return any(_nothing(subject)) or _shared(subject) is not None


def tells_of_gpus(subject: Node) -> bool:
    """Whether a node tells what it gives, or what contradicts itself.

    One that does not may only have lost its labels for a moment.
    """
    found = read_node(subject)
    return bool(found.offers) or any(
        not each.reason.silent and each.reason not in _MOMENTARY for each in found.unusable
    )


def _read(found: Advertised, pools: tuple[DeclaredPool, ...], hami: str) -> Offer | Unusable:
    """What a node gives under one name. `hami` lists the GPUs that HAMi registered there.

    | the labels say | pools that select the node say | |
    |---|---|---|
    | a way to give it | nothing, or the same | that way |
    | a way to give it | another way | declared_otherwise |
    | what contradicts itself | anything | why not |
    | nothing | one way | that way, if the amount fits |
    | nothing | two ways | declared_twice |
    | nothing | nothing | why not |
    | no way to give it, and HAMi registered fewer GPUs | anything | other_sharing |
    """
    read = _read_labels(found)
    if hami and isinstance(read, Unusable) and found.amount > hami.count("GPU-"):
        detail = f"{found.amount} allocatable, HAMi registered {hami.count('GPU-')} GPUs"
        return found.unusable(UnusableReason.OTHER_SHARING, detail, _HAMI)
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
    other = next((name for name, raw in others if not quantity.is_zero(raw)), None)
    spoken = (each for each in DIALECTS if each.is_spoken(labels))
    wrong = next(filter(None, (each.explain_nothing(labels) for each in spoken)), None)
    if wrong and other and wrong.reason is UnusableReason.NOTHING_ADVERTISED:
        yield unusable(wrong.reason, f"{other} is allocatable, under no name of ours", mend=_NAME)
    elif wrong:
        yield wrong


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
