"""The label that makes a pod a tenant's, for people. `classify` decides by them."""

from collections.abc import Mapping

from webhook.core.api import names
from webhook.core.decision.workload import NOTHING


def of_tenant(pod: Mapping[str, str], namespace: Mapping[str, str]) -> str:
    """Where the tenant comes from: the namespace's word is above the pod's."""
    if names.TENANT in namespace:
        return f"the namespace's label {names.TENANT}"
    return f"the pod's label {names.TENANT}" if names.TENANT in pod else NOTHING
