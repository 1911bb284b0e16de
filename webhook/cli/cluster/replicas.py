"""The webhook's replicas as pods, and the paths of their logs and metrics."""

from webhook.cli.cluster import types
from webhook.cli.cluster.client import ClusterClient, Permission, PodPath
from webhook.cli.cluster.flags import Install
from webhook.cli.cluster.types import LivePod
from webhook.core.integrations import kubernetes

_NAME = "app.kubernetes.io/name=gpu-sharing"
_INSTANCE = "app.kubernetes.io/instance"
_SERVER = "app.kubernetes.io/component=server"
CONTAINER = "webhook"
"""The container of the chart; another webhook may have put its own beside it."""

_USUAL_PORT = 8080


def list_replicas(client: ClusterClient, install: Install) -> list[LivePod]:
    """Return the replicas of an install in the order of their names. Raises Unavailable."""
    selector = f"{_NAME},{_INSTANCE}={install.release},{_SERVER}"
    found = client.each(kubernetes.POD, install.namespace, labelSelector=selector)
    return sorted((types.live_pod(each) for each in found), key=lambda pod: pod.meta.name)


def log_path(install: Install, name: str) -> PodPath:
    """Return where a replica's log is."""
    permission = Permission("get", "pods/log", install.namespace)
    return PodPath(permission, kubernetes.POD.url_path(install.namespace, name, "log"))


def metrics_path(install: Install, pod: LivePod) -> PodPath:
    """Return where its metrics are, whose port has no name for the API server."""
    permission = Permission("get", "pods/proxy", install.namespace)
    root = kubernetes.POD.url_path(install.namespace)
    return PodPath(permission, f"{root}/{pod.meta.name}:{_port(pod)}/proxy/metrics")


def _port(pod: LivePod) -> int:
    ports = (
        port
        for container in (pod.raw.get("spec") or {}).get("containers") or ()
        for port in container.get("ports") or ()
    )
    found = (port["containerPort"] for port in ports if port.get("name") == "metrics")
    return next(found, _USUAL_PORT)
