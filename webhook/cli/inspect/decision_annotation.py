"""Whether a pod's requests match its decision annotation, which anybody may have written."""

from webhook.core import record
from webhook.core.api import names
from webhook.core.api import pod as pods
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.record_values import DecisionRecord


def decision_of(pod: Pod) -> DecisionRecord | None:
    """Return the decision of a pod's annotation, None if its requests differ."""
    told = record.from_annotation(pods.annotations(pod).get(names.DECISION))
    return told if told is not None and agrees(told, pod) else None


def agrees(told: DecisionRecord, pod: Pod) -> bool:
    """Return whether the pod requests just what it got by the record."""
    requested = {
        (each.container.name, each.resource, each.count) for each in classify.requests_of(pod)
    }
    return requested == {
        (change.name, resource, count)
        for change in told.containers
        for resource, count in change.given.items()
    }
