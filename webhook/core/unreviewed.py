"""Pods that run with a GPU although this webhook never decided them.

Reads a pod as it is now.

Such a pod came in while the webhook failed open, before its namespace opted in, or by an exempt
user. It is a suspicion, no proof: anybody who may edit a pod can add the annotation.
"""

from collections.abc import Iterator

from msgspec import field

from webhook.core.api import names, quantity
from webhook.core.api.part import Part
from webhook.core.api.pod import Resources
from webhook.core.gpu.resources import is_gpu


class _SeenMetadata(Part, frozen=True):
    name: str = ""
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class _SeenContainer(Part, frozen=True):
    resources: Resources | None = None


class _SeenSpec(Part, frozen=True):
    containers: tuple[_SeenContainer, ...] | None = None
    init_containers: tuple[_SeenContainer, ...] | None = None


class _SeenStatus(Part, frozen=True):
    phase: str = ""


class Seen(Part, frozen=True):
    """A Pod of a list."""

    metadata: _SeenMetadata = field(default_factory=_SeenMetadata)
    spec: _SeenSpec = field(default_factory=_SeenSpec)
    status: _SeenStatus = field(default_factory=_SeenStatus)


def is_unreviewed(pod: Seen) -> bool:
    """Whether the pod uses or will use a GPU that nobody decided.

    | phase | being deleted | requests a GPU | our decision on it | unreviewed |
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
    return not decided and any(_gpu_limits(pod.spec))


def _gpu_limits(spec: _SeenSpec) -> Iterator[bool]:
    """Limits are enough: an extended resource cannot stand in requests alone."""
    for container in (*(spec.containers or ()), *(spec.init_containers or ())):
        limits = (container.resources.limits if container.resources else None) or {}
        for resource, amount in limits.items():
            yield is_gpu(resource) and amount is not None and quantity.parse_quantity(amount) > 0
