"""Whether a pod's requests match its decision annotation, which anybody may have written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from webhook.core import pod_annotation
from webhook.core.api import names
from webhook.core.api import pod as pods
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.record_values import DecisionRecord

Expression = Mapping[str, Any]


def affinity_of(pod: Pod) -> tuple[tuple[str, str], ...]:
    """Return key and operator of the node requirements that the webhook added to a pod."""
    if decision_of(pod) is None:
        return ()
    return pod_annotation.affinity_of(pods.annotations(pod).get(names.DECISION))


def decision_of(pod: Pod) -> DecisionRecord | None:
    """Return the decision of a pod's annotation, None if its requests differ."""
    recorded = pod_annotation.read(pods.annotations(pod).get(names.DECISION))
    return recorded if recorded is not None and agrees(recorded, pod) else None


def split_affinity(
    expressions: Sequence[Expression], added: Sequence[tuple[str, str]]
) -> tuple[list[Expression], list[Expression]]:
    """Part a term's expressions into its author's and those that the webhook added.

    It adds behind what is there, so of equal keys and operators the last are its own.
    """
    left, own, ours = Counter(added), list[Expression](), list[Expression]()
    for each in reversed(expressions):
        shown = str(each.get("key")), str(each.get("operator"))
        (ours if left[shown] > 0 else own).append(each)
        left[shown] -= 1
    return own[::-1], ours[::-1]


def agrees(recorded: DecisionRecord, pod: Pod) -> bool:
    """Return whether the pod requests just what it got by the record."""
    requested = {
        (each.container.name, each.resource, each.count) for each in classify.requests_of(pod)
    }
    return requested == {
        (change.name, resource, count)
        for change in recorded.containers
        for resource, count in change.given.items()
    }
