"""What a dialect is: how one system labels the nodes that have GPUs."""

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from webhook.core.api import mig
from webhook.core.api.quantity import QuantityError, count
from webhook.core.gpu.placement import requirement_holds
from webhook.core.gpu.resources import GpuResource, ResourceKind
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable
from webhook.core.gpu.values import DeviceLabels, ExtendedResource, Form, NodeRequirement, Offer

_SLICE = "{slice}"
_MOST_MEMORY = 2**21  # MiB: no GPU has 2 TiB; GPU Feature Discovery of 2022 wrote bytes


class Advertised(Struct, frozen=True):
    """A GPU resource in a node's allocatable, above zero, with all labels of the node.

    `existing` is the node's capacity of it, `others` all that it advertises above zero.
    """

    resource: GpuResource
    amount: int
    labels: Mapping[str, str]
    existing: int
    others: Mapping[str, int]

    def unusable(self, reason: UnusableReason, detail: str, mend: str = "") -> Unusable:
        """Return the resource as one that is not offered."""
        return unusable(reason, detail, self.resource.name, mend)


def _no_forms(_: Strategy) -> tuple[Form, ...]:
    return ()


def _nothing_advertised(_: Mapping[str, str]) -> Unusable | None:
    return unusable(UnusableReason.NOTHING_ADVERTISED, "no nvidia.com resource is allocatable")


class Dialect(Struct, frozen=True):
    """How one system labels the nodes that have GPUs.

    | field | |
    |---|---|
    | is_spoken | whether a node's labels are of this system |
    | read_offer | what a node gives under one name, or why it gives nothing |
    | forms | how nodes show a strategy; none where the system does not have it; total |
    | explain_nothing | why a node that speaks it advertises nothing; None if it has no such GPU |
    | noise | labels that differ on every node, and that no pod selects by |
    | order | dialects with a lower one are believed first |
    """

    name: str
    is_spoken: Callable[[Mapping[str, str]], bool]
    read_offer: Callable[[Advertised], Offer | Unusable]
    forms: Callable[[Strategy], tuple[Form, ...]] = _no_forms
    explain_nothing: Callable[[Mapping[str, str]], Unusable | None] = _nothing_advertised
    noise: frozenset[str] = frozenset()
    order: int = 1


def form_of(resource: GpuResource, form: Form) -> Form:
    """Return the form with the keys of the labels of one resource."""
    if resource.profile is None:
        return form
    name = resource.profile.resource

    def filled(key: str | None) -> str | None:
        return key and key.replace(_SLICE, name)

    labels = form.labels
    return replace(
        form,
        requirements=tuple(
            replace(each, key=each.key.replace(_SLICE, name)) for each in form.requirements
        ),
        labels=DeviceLabels(
            filled(labels.product),
            filled(labels.memory),
            filled(labels.replicas),
            filled(labels.profile),
            labels.virtual,
        ),
    )


def shows_product(form: Form, product: str) -> bool:
    """Whether a product is one of those that a form is of."""
    return not form.product_pattern or bool(re.search(form.product_pattern, product))


def node_shows(form: Form, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels shows the form of one resource."""
    product = labels.get(form.labels.product or "", "")
    return shows_product(form, product) and all(
        requirement_holds(each, labels) for each in form.requirements
    )


def whole_numbers(text: str | None) -> int | None:
    """Return the whole number of a label, None where there is none."""
    try:
        return None if text is None else count(text)
    except QuantityError:
        return None


def mebibytes_of(text: str | None) -> int | None:
    """Return the MiB of a label, None where no GPU can have them."""
    found = whole_numbers(text)
    return found if found and found < _MOST_MEMORY else None


def too_many(found: Advertised, most: int | None, of_labels: str) -> Iterator[Unusable]:
    """Yield what is wrong with an amount above what the labels have."""
    if most is not None and found.amount > most:
        detail = f"{found.amount} allocatable, {of_labels}"
        yield found.unusable(UnusableReason.TOO_MANY, detail)


def uneven(found: Advertised, replicas: int | None, of_labels: str) -> Iterator[Unusable]:
    """Yield what is wrong with shares whose amount or replicas cannot be."""
    if replicas is not None and replicas < 2:  # noqa: PLR2004 - one replica is no share
        yield found.unusable(UnusableReason.REPLICAS_DIFFER, of_labels)
    elif replicas and found.amount % replicas:
        detail = f"{found.amount} allocatable, {of_labels}"
        yield found.unusable(UnusableReason.NOT_A_MULTIPLE, detail)


def whole_form(product: str, *requirements: NodeRequirement, pattern: str = "") -> Form:
    """Return the form of whole GPUs, whose product is the value of a label."""
    gpus = frozenset({ResourceKind.GPU})
    return Form(Strategy.EXCLUSIVE, gpus, requirements, DeviceLabels(product), pattern)


def only_whole(form: Form) -> Callable[[Strategy], tuple[Form, ...]]:
    """Return the forms of a system that gives whole GPUs only."""
    return lambda strategy: (form,) if strategy is Strategy.EXCLUSIVE else ()


def whole_offer(found: Advertised, form: Form, memory: int | None) -> Offer:
    """Return whole GPUs of the labelled product, with the MiB of each."""
    product = found.labels.get(form.labels.product or "", "")
    return Offer(
        delivery=ExtendedResource(found.resource.name),
        form=form,
        product=product,
        memory=memory,
        total=memory,
        gpu_memory=None,
        replicas=1,
        profile=None,
        amount=found.amount,
        existing=found.existing,
        mig_capable=mig.is_mig_product(product),
    )
