"""The API resources that the commands read beside workloads."""

from typing import Final

from webhook.core.api.resource import ApiResource

NODE: Final = ApiResource("Node", "nodes", namespaced=False)
NAMESPACE: Final = ApiResource("Namespace", "namespaces", namespaced=False)
CONFIG_MAP: Final = ApiResource("ConfigMap", "configmaps")
# Of the core group: the same objects as in events.k8s.io, which the roles view and edit did not let
# people read before kubernetes/kubernetes#133740.
EVENT: Final = ApiResource("Event", "events")
RESOURCE_QUOTA: Final = ApiResource("ResourceQuota", "resourcequotas")
_REGISTRATION: Final = "admissionregistration.k8s.io"
MUTATING: Final = ApiResource(
    "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", _REGISTRATION, namespaced=False
)
VALIDATING: Final = ApiResource(
    "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", _REGISTRATION,
    namespaced=False,
)  # fmt: skip
