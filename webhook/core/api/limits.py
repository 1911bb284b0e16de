"""The most parts of a reviewed pod, so that none keeps replicas busy."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import denials
from webhook.core.api.pod import Container, Pod, required_terms
from webhook.core.api.violation import Violation

MOST_PARTS: Final = 10_000
"""A body of 3 MiB can have a million, which take seconds to judge; real pods have hundreds."""


_ON_EVERY_NODE: Final = 40
"""What a term or requirement of the node affinity counts: it is looked at for every node."""


def too_large(pod: Pod) -> Violation | None:
    """Return what is wrong with a pod of more than MOST_PARTS parts."""
    parts = 0
    for many in _parts(pod):
        parts += many
        if parts > MOST_PARTS:
            text = (
                f"the pod has more than {MOST_PARTS} containers, variables and other parts, which "
                "are not looked at; split it, or take variables from a ConfigMap"
            )
            return Violation(denials.TOO_LARGE, "", text, "spec")
    return None


def _parts(pod: Pod) -> Iterator[int]:
    """The number of items of each list that a decision looks at."""
    spec = pod.spec
    for containers in (spec.containers, spec.init_containers, spec.ephemeral_containers):
        yield len(containers or ())
        for container in containers or ():
            yield _of_container(container)
    for items in (spec.volumes, spec.tolerations, spec.resource_claims, spec.node_selector):
        yield len(items or ())
    for term in required_terms(pod) or ():
        yield _ON_EVERY_NODE
        for each in (*(term.match_expressions or ()), *(term.match_fields or ())):
            yield _ON_EVERY_NODE + len(each.values or ())


def _of_container(container: Container) -> int:
    resources, context = container.resources, container.security_context
    capabilities = context.capabilities if context else None
    lists = (
        container.env,
        container.env_from,
        container.volume_mounts,
        resources.limits if resources else None,
        resources.requests if resources else None,
        resources.claims if resources else None,
        capabilities.add if capabilities else None,
    )
    return sum(len(each) for each in lists if each)
