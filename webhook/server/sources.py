"""Where a review finds its frozen snapshots, or why it cannot be answered now; holds none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.server.admission.error_boundary import Failure

_UNKNOWN: Final = "503 Service Unavailable"  # the failurePolicy decides


@dataclass(frozen=True, slots=True)
class Sources:
    """Each call returns the newest.

    `namespace` returns None where a namespace's labels cannot be known now, `inventory` None
    before the nodes were seen.
    """

    policy: Callable[[], Policy]
    inventory: Callable[[], Inventory | None]
    namespace: Callable[[str], Mapping[str, str] | None]


def labels(sources: Sources, namespace: str) -> Mapping[str, str]:
    """The labels of a namespace.

    Raises:
        Failure: they are not known now.
    """
    found = sources.namespace(namespace)
    if found is None:
        raise Failure(_UNKNOWN, f"namespace {namespace!r}: labels unknown")
    return found


def offered(sources: Sources) -> Inventory:
    """What the cluster offers.

    Raises:
        Failure: it is not known yet.
    """
    found = sources.inventory()
    if found is None:
        raise Failure(_UNKNOWN, "the nodes of the cluster are not known yet")
    return found
