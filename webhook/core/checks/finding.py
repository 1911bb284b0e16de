"""What a rule looks at and what it says.

Who is refused for it is the policy's to say.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container, EnvVar, Pod
from webhook.core.api.violation import Violation
from webhook.core.gpu.strategies import Strategy

_LONGEST: Final = 60


class TenantAllowances(Struct, frozen=True):
    """What tenants' pods may have of their node, by the policy.

    `host_paths` exactly as pods write them, `capabilities` in capitals without `CAP_`.
    """

    host_paths: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()


class Subject(Struct, frozen=True):
    """A pod as the checks look at it.

    `isolated` says that the pod is a tenant's, `namespace_tenant` whose its namespace is.
    `variables` are those of each container whose names begin as checks look for. `strategies` is
    what each requested resource amounts to by the pod's required placement, None where unknown;
    `malformed` says that some request could not be read.
    """

    pod: Pod
    containers: Mapping[ContainerRef, Container]
    namespace_tenant: str | None
    isolated: bool
    allowances: TenantAllowances
    idle: frozenset[ContainerRef]
    variables: Mapping[ContainerRef, tuple[EnvVar, ...]]
    strategies: Mapping[str, Strategy | None]
    malformed: bool


class Finding(Struct, frozen=True):
    """One thing that a rule finds.

    `evidence` tells two apart that read the same.
    """

    violation: Violation
    evidence: str = ""


PodRule = Callable[[Subject], Iterator[Finding]]
ContainerRule = Callable[[Subject, ContainerRef, Container], Iterator[Finding]]


def quote(text: str) -> str:
    """Somebody else's words for a message, quoted and cut to a length."""
    return repr(text) if len(text) <= _LONGEST else repr(text[:_LONGEST]) + "..."
