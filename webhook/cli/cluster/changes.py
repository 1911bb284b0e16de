"""Changes of nodes with the caller's own rights, for `pools move --yes` alone."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from webhook.cli.cluster import resources
from webhook.cli.cluster.client import TIMEOUT, ClusterClient, Forbidden, Permission, Unavailable
from webhook.core.integrations import kubernetes
from webhook.kube.api_request import Method
from webhook.kube.errors import ApiError


def patch_node(client: ClusterClient, name: str, patch: Mapping[str, Any]) -> None:
    """Change a node by a merge patch.

    Raises:
        Unavailable: a right is missing, or the cluster refuses.
    """
    permission = Permission("patch", "nodes", namespaced=False)
    try:
        _send(client, "PATCH", resources.NODE.url_path(None, name), patch)
    except ApiError as failure:
        raise _explained(failure, permission) from None


def evict(client: ClusterClient, namespace: str, name: str) -> str | None:
    """Evict a pod. Returns what keeps it, where a PodDisruptionBudget does.

    Raises:
        Unavailable: a right is missing, or the cluster refuses.
    """
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    path = kubernetes.POD.url_path(namespace, name, "eviction")
    try:
        _send(client, "POST", path, eviction)
    except ApiError as failure:
        if failure.not_found:
            return None
        if failure.status == HTTPStatus.TOO_MANY_REQUESTS:
            return failure.message
        raise _explained(failure, Permission("create", "pods/eviction", namespace)) from None
    return None


def _send(client: ClusterClient, method: Method, path: str, body: Mapping[str, Any]) -> None:
    client.run(client.api.send(method, path, body, timeout=TIMEOUT))


def _explained(failure: ApiError, permission: Permission) -> Unavailable:
    if failure.status == HTTPStatus.FORBIDDEN:
        return Forbidden(permission)
    return Unavailable(f"the cluster refuses: {failure}")
