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


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Only what is read: thousands of whole pods pass through here."""


class _Metadata(_Part, frozen=True):
    name: str = ""
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class _Container(_Part, frozen=True):
    resources: Resources | None = None


class _Spec(_Part, frozen=True):
    containers: tuple[_Container, ...] | None = None
    init_containers: tuple[_Container, ...] | None = None


class _Status(_Part, frozen=True):
    phase: str = ""


class Seen(_Part, frozen=True):
    """A Pod of a list."""

    metadata: _Metadata = field(default_factory=_Metadata)
    spec: _Spec = field(default_factory=_Spec)
    status: _Status = field(default_factory=_Status)


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
    return not decided and any(map(_is_ask, _quantities(pod.spec)))


def _quantities(spec: _Spec) -> Iterator[tuple[str, quantity.Raw | None]]:
    """Limits are enough: an extended resource cannot stand in requests alone."""
    for container in (*(spec.containers or ()), *(spec.init_containers or ())):
        limits: Mapping[str, quantity.Raw | None] = (
            container.resources.limits if container.resources else None
        ) or {}
        yield from limits.items()


def _is_ask(limit: tuple[str, quantity.Raw | None]) -> bool:
    resource, amount = limit
    return is_gpu(resource) and amount is not None and quantity.parse(amount) > 0
