"""Pods that run with a GPU although this webhook never decided them.

Reads a pod as it is now.

Such a pod came in while the webhook failed open, before its namespace opted in, or by an exempt
user. It is a suspicion, no proof: anybody who may edit a pod can add the annotation.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from webhook.core.api import names, quantity
from webhook.core.api.pod import Resources
from webhook.core.gpu.resources import is_gpu


class _ListedPart(Struct, frozen=True, rename="camel", gc=False):
    """Only what is read: thousands of whole pods pass through here."""


class _ListedMetadata(_ListedPart, frozen=True):
    name: str = ""
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class _ListedContainer(_ListedPart, frozen=True):
    resources: Resources | None = None


class _ListedSpec(_ListedPart, frozen=True):
    containers: tuple[_ListedContainer, ...] | None = None
    init_containers: tuple[_ListedContainer, ...] | None = None


class _ListedStatus(_ListedPart, frozen=True):
    phase: str = ""


class Seen(_ListedPart, frozen=True):
    """A Pod of a list."""

    metadata: _ListedMetadata = field(default_factory=_ListedMetadata)
    spec: _ListedSpec = field(default_factory=_ListedSpec)
    status: _ListedStatus = field(default_factory=_ListedStatus)


def is_undecided(pod: Seen) -> bool:
    """Whether the pod uses or will use a GPU that nobody decided.

    | phase | being deleted | asks for a GPU | our decision on it | undecided |
    |---|---|---|---|---|
    | Succeeded, Failed | - | - | - | no: it holds no device any more |
    | any other | yes | - | - | no: it goes |
    | any other | no | no | - | no |
    | any other | no | yes | yes | no |
    | any other | no | yes | no | yes |
    """
    if pod.status.phase in ("Succeeded", "Failed") or pod.metadata.deletion_timestamp:
        return False
    decided = names.DECISION in (pod.metadata.annotations or {})
    return not decided and any(_is_request(*limit) for limit in _quantities(pod.spec))


def _quantities(spec: _ListedSpec) -> Iterator[tuple[str, quantity.Raw | None]]:
    """Limits are enough: an extended resource cannot stand in requests alone."""
    for container in (*(spec.containers or ()), *(spec.init_containers or ())):
        limits: Mapping[str, quantity.Raw | None] = (
            container.resources.limits if container.resources else None
        ) or {}
        yield from limits.items()


def _is_request(resource: str, amount: quantity.Raw | None) -> bool:
    return is_gpu(resource) and amount is not None and quantity.parse(amount) > 0
