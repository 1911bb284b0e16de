"""Names and API paths of what is read or written in the cluster."""

from typing import Final

PREFIX: Final = "gpu-sharing.io/"
HELD_SINCE: Final = PREFIX + "held-since"
PHASE: Final = PREFIX + "phase"
FAILURE_POLICIES: Final = PREFIX + "failure-policies"

MANAGED_BY: Final = {"app.kubernetes.io/managed-by": "gpu-sharing-certs"}

# Keys of the Secrets. The first three are what the server mounts.
CA_CERT: Final = "ca.crt"
LEAF_CERT: Final = "tls.crt"
LEAF_KEY: Final = "tls.key"
CA_KEY: Final = "ca.key"
TRUSTED_CERTS: Final = "trusted.crt"

TLS: Final = "kubernetes.io/tls"
OPAQUE: Final = "Opaque"

REGISTRATION: Final = "/apis/admissionregistration.k8s.io/v1"
MUTATING: Final = REGISTRATION + "/mutatingwebhookconfigurations"
VALIDATING: Final = REGISTRATION + "/validatingwebhookconfigurations"


def secrets_path(namespace: str) -> str:
    """The path of all Secrets of a namespace."""
    return f"/api/v1/namespaces/{namespace}/secrets"


def pods_path(namespace: str) -> str:
    """The path of all pods of a namespace."""
    return f"/api/v1/namespaces/{namespace}/pods"
