"""What a dialect is: how one system labels the nodes that have GPUs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from webhook.core.api import mig
from webhook.core.gpu.placement import requirement_holds
from webhook.core.gpu.resources import GpuResource
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import Contradiction, DeviceLabels, Form, Offer, Unusable

_SLICE = "{slice}"


@dataclass(frozen=True, slots=True)
class Advertised:
    """A GPU resource in a node's allocatable, above zero, with all labels of the node."""

    resource: GpuResource
    amount: int
    labels: Mapping[str, str]

    def unusable(self, reason: Contradiction, detail: str) -> Unusable:
        """Return the resource as one that is not offered."""
        return Unusable(reason, self.resource.name, detail)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one system labels the nodes that have GPUs.

    | field | |
    |---|---|
    | is_spoken | whether a node's labels are of this system |
    | forms | how nodes show a strategy; none where the system does not have it; total |
    | read_offer | what a node gives under one name, or why it gives nothing |
    | noise | labels that differ on every node, and that no pod selects by |
    """

    name: str
    is_spoken: Callable[[Mapping[str, str]], bool]
    forms: Callable[[Strategy], tuple[Form, ...]]
    read_offer: Callable[[Advertised], Offer | Unusable]
    noise: frozenset[str]


def form_of(resource: GpuResource, form: Form) -> Form:
    """Return the form with the keys of the labels of one resource."""
    if resource.profile is None:
        return form
    name = resource.profile.resource
    labels = form.labels
    return replace(
        form,
        requirements=tuple(
            replace(each, key=each.key.replace(_SLICE, name)) for each in form.requirements
        ),
        labels=DeviceLabels(
            labels.product.replace(_SLICE, name),
            labels.memory.replace(_SLICE, name),
            labels.replicas.replace(_SLICE, name),
        ),
    )


def node_shows(form: Form, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels shows the form of one resource."""
    sliced = not form.of_slices or mig.of_product(labels.get(form.labels.product, "")) is not None
    return sliced and all(requirement_holds(each, labels) for each in form.requirements)
