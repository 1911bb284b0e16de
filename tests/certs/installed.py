"""What the chart installs, as far as certificates are concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certs import names
from certs.reconciler import ManagedObjects
from certs.secrets import Json
from certs.webhook_configuration import ServiceName

if TYPE_CHECKING:
    from tests.fake_apiserver.store import Store

NAMESPACE, SERVICE = "gpu-sharing-system", "gpu-sharing"
SECRETS = names.secrets_path(NAMESPACE)
AUTHORITY = f"{SECRETS}/gpu-sharing-authority"
SERVING = f"{SECRETS}/gpu-sharing-tls"
MUTATING = f"{names.MUTATING}/gpu-sharing"
VALIDATING = f"{names.VALIDATING}/gpu-sharing"
CONFIGURATIONS = (MUTATING, VALIDATING)
OBJECTS = ManagedObjects(
    ServiceName(NAMESPACE, SERVICE), "gpu-sharing-tls", "gpu-sharing-authority", CONFIGURATIONS
)


def webhook(name: str, *, service: str = SERVICE, policy: str = "Ignore") -> Json:
    """One webhook of a configuration, with fields that nobody here knows."""
    called = {"namespace": NAMESPACE, "name": service, "path": "/mutate", "port": 443}
    return {
        "name": name,
        "clientConfig": {"service": called},
        "failurePolicy": policy,
        "timeoutSeconds": 3,
    }


def configuration(*webhooks: Json, policies: str | None = None) -> Json:
    """A webhook configuration as the chart installs it."""
    annotations = {} if policies is None else {names.FAILURE_POLICIES: policies}
    metadata = {"name": "gpu-sharing", "annotations": annotations}
    return {"metadata": metadata, "webhooks": list(webhooks)}


def install(store: Store, *paths: str) -> None:
    """Create configurations: one webhook of ours in each, and one of others."""
    others = webhook("other.example.io", service="other")
    made = {
        MUTATING: configuration(webhook("mutate.example.io")),
        VALIDATING: configuration(others, webhook("validate.example.io")),
    }
    for path in paths:
        store.put(path.rpartition("/")[0], made[path])
