"""The most parts of a reviewed pod, so that none keeps a replica busy.

`deploy.generate.sizes` counts the same in CEL.
"""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import denials
from webhook.core.api import pod as pods
from webhook.core.api.pod import Container, Pod, required_terms
from webhook.core.api.violation import Violation

MOST_PARTS: Final = 2000
"""Real pods have up to about 200. Expressions of the API server run out of budget at twice this."""
CONTAINER: Final = 10
"""What a container counts besides its parts: each is looked at by every check."""
REQUIREMENT: Final = 40
"""What a term of the node affinity counts, and a requirement: many nodes are compared with it."""
PATH: Final = 4
"""Characters of a hostPath that count as a part: it is compared with the longest patterns."""
TEXT: Final = 128
"""Characters of an annotation that count as a part."""
NAME: Final = 8
"""The same of a capability, since none has more than 25."""
AMOUNT: Final = 2
"""What an amount of a resource counts: patterns are tried on each name."""
MOST_BYTES: Final = 1024 * 1024
"""Bytes of an object that is decoded: etcd takes 1.5 MiB, and real pods have up to 100 KiB."""
MOST_VALUES: Final = 50_000
"""JSON values that are decoded: 1 MiB can hold 350,000, which take 35 MiB as objects."""


def is_decoded(text: bytes | memoryview) -> bool:
    """Return whether JSON is small enough to decode, without decoding it.

    It counts what separates values, also inside of strings.
    """
    if len(text) > MOST_BYTES:
        return False
    raw = bytes(text)
    return len(raw) <= 2 * MOST_VALUES or sum(map(raw.count, (b",", b"{", b"["))) <= MOST_VALUES


def too_large(pod: Pod) -> Violation | None:
    """Return what is wrong with a pod of more than MOST_PARTS parts."""
    parts = 0
    for many in _parts(pod):
        parts += many
        if parts > MOST_PARTS:
            return TOO_MANY_PARTS
    return None


TOO_MANY_PARTS: Final = Violation(
    denials.TOO_LARGE,
    "",
    f"the pod has more than {MOST_PARTS} containers, variables and other parts, which are not "
    "looked at; split it, or take variables from a ConfigMap",
    "spec",
)


def _parts(pod: Pod) -> Iterator[int]:
    """The number of items of each list that a decision looks at."""
    spec = pod.spec
    for containers in (spec.containers, spec.init_containers, spec.ephemeral_containers):
        if containers:
            yield CONTAINER * len(containers)
            yield from map(_of_container, containers)
    for items in (spec.tolerations, spec.resource_claims, spec.node_selector, pods.labels(pod)):
        yield len(items or ())
    if spec.volumes:
        yield len(spec.volumes)
        yield sum(len(each.host_path.path) // PATH for each in spec.volumes if each.host_path)
    annotations = pods.annotations(pod)
    yield len(annotations)
    yield sum(len(key) // TEXT + len(value) // TEXT for key, value in annotations.items())
    terms = required_terms(pod) or ()
    yield REQUIREMENT * len(terms)
    for term in terms:
        for requirements in (term.match_expressions or (), term.match_fields or ()):
            yield REQUIREMENT * len(requirements)
            yield sum(len(each.values or ()) for each in requirements)


def _of_container(container: Container) -> int:
    resources, context = container.resources, container.security_context
    lists = (container.env, container.env_from, container.volume_mounts)
    parts = sum(len(each) for each in lists if each)
    if resources:
        amounts = (resources.limits, resources.requests, resources.claims)
        parts += AMOUNT * sum(len(each) for each in amounts if each)
    if context and context.capabilities and context.capabilities.add:
        added = context.capabilities.add
        parts += len(added) + sum(len(each) // NAME for each in added)
    return parts
