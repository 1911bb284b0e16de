"""Which label says what a pod is for and whose it is, for people. `classify` decides by them."""

from collections.abc import Mapping

from webhook.core.api import names
from webhook.core.policy.values import Policy

NOTHING = "nothing says so"


def of_workload(pod: Mapping[str, str], namespace: Mapping[str, str], policy: Policy) -> str:
    """Where the workload comes from. The order is that of `classify`."""
    if names.WORKLOAD in pod:
        return f"the pod's label {names.WORKLOAD}"
    for known in policy.well_known_labels:
        if known.label in pod and known.value in (None, pod[known.label]):
            return f"the pod's label {known.label}, which the policy knows"
    if names.WORKLOAD in namespace:
        return f"the namespace's label {names.WORKLOAD}"
    return NOTHING


def of_tenant(pod: Mapping[str, str], namespace: Mapping[str, str]) -> str:
    """Where the tenant comes from: the namespace's word is above the pod's."""
    if names.TENANT in namespace:
        return f"the namespace's label {names.TENANT}"
    return f"the pod's label {names.TENANT}" if names.TENANT in pod else NOTHING
