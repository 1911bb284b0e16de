"""The most parts of a reviewed pod, so that none keeps a replica busy.

`deploy.generate.sizes` counts the same in CEL, but for a container's own paths: they cost no
expression much, but as all text several times theirs where the API server patches a pod.
"""

from typing import Final

from webhook.core.api import denials
from webhook.core.api import pod as pods
from webhook.core.api.pod import Container, NodeSelectorTerm, Pod, required_terms
from webhook.core.api.violation import Violation

MOST_PARTS: Final = 2000
"""Real pods have up to about 200. Expressions of the API server run out of budget at twice this."""
CONTAINER: Final = 10
"""What a container counts besides its parts: each is looked at by every check."""
REQUIREMENT: Final = 40
"""What a term of the node affinity counts, and a requirement: many nodes are compared with it."""
PATH: Final = 4
"""Characters of a hostPath that count as a part: it is compared with the longest patterns."""
LONGEST_PATH: Final = 4096
"""Characters of a path that Linux takes: with a longer one of its own no container starts."""
VOLUME: Final = 5
"""What a volume counts: the API server looks at each thrice, and real pods have few."""
ANNOTATION: Final = 4
"""The same of an annotation, on whose key and value patterns are tried."""
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
    return TOO_MANY_PARTS if _parts(pod) > MOST_PARTS else None


TOO_MANY_PARTS: Final = Violation(
    denials.TOO_LARGE,
    "",
    f"the pod has more than {MOST_PARTS} containers, variables and other parts, which are not "
    "looked at; split it, or take variables from a ConfigMap",
    "spec",
)


def _parts(pod: Pod) -> int:
    """The number of items of each list that a decision looks at."""
    spec, annotations, labels = pod.spec, pods.annotations(pod), pods.labels(pod)
    parts = len(labels) + len(spec.tolerations or ()) + len(spec.resource_claims or ())
    parts += len(spec.node_selector or ())
    parts += VOLUME * len(spec.volumes or ()) + ANNOTATION * len(annotations)
    for containers in (spec.containers, spec.init_containers, spec.ephemeral_containers):
        parts += sum([CONTAINER + _of_container(each) for each in containers or ()])
    paths = [each.host_path.path for each in spec.volumes or () if each.host_path]
    parts += sum([len(each) // PATH for each in paths])
    parts += sum([len(key) // TEXT + len(value) // TEXT for key, value in annotations.items()])
    return parts + sum([_of_term(each) for each in required_terms(pod) or ()])


def _of_term(term: NodeSelectorTerm) -> int:
    found = (*(term.match_expressions or ()), *(term.match_fields or ()))
    return REQUIREMENT + sum([REQUIREMENT + len(each.values or ()) for each in found])


def _of_container(container: Container) -> int:
    resources, context = container.resources, container.security_context
    mounts = container.volume_mounts or ()
    parts = len(container.env or ()) + len(container.env_from or ()) + len(mounts)
    if resources:
        amounts = len(resources.limits or ()) + len(resources.requests or ())
        parts += AMOUNT * (amounts + len(resources.claims or ()))
    for mount in mounts:
        if len(mount.mount_path) > LONGEST_PATH:
            return MOST_PARTS + 1
    if len(container.termination_message_path or "") > LONGEST_PATH:
        return MOST_PARTS + 1
    added = context.capabilities.add if context and context.capabilities else None
    return parts + sum([1 + len(each) // NAME for each in added]) if added else parts
