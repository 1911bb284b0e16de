"""Whether a pod requests what its decision annotation tells, which anybody may have written."""

from webhook.core import record
from webhook.core.api import names
from webhook.core.api import pod as pods
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.record_values import DecisionRecord


def decision_of(pod: Pod) -> DecisionRecord | None:
    """Return what a pod's annotation tells, None if the pod does not bear it out."""
    told = record.from_annotation(pods.annotations(pod).get(names.DECISION))
    return told if told is not None and agrees(told, pod) else None


def agrees(told: DecisionRecord, pod: Pod) -> bool:
    """Return whether the pod requests just what the record says that it got."""
    requested = {
        (each.container.name, each.resource, each.count) for each in classify.requests_of(pod)
    }
    return requested == {
        (change.name, resource, count)
        for change in told.containers
        for resource, count in change.given.items()
    }
