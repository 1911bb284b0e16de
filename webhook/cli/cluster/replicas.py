"""The webhook's replicas as pods of the install namespace, and where their logs and metrics are."""

from webhook.cli.cluster import types
from webhook.cli.cluster.client import Access, Right
from webhook.cli.cluster.options import Install
from webhook.cli.cluster.types import LivePod
from webhook.core.integrations import kubernetes

_NAME = "app.kubernetes.io/name=gpu-sharing"
_INSTANCE = "app.kubernetes.io/instance"
_SERVER = "app.kubernetes.io/component=server"
CONTAINER = "webhook"
"""The container of the chart; another webhook may have put its own beside it."""

_USUAL_PORT = 8080


def of(access: Access, install: Install) -> list[LivePod]:
    """The replicas of an install, in the order of their names; raise Unavailable."""
    selector = f"{_NAME},{_INSTANCE}={install.release},{_SERVER}"
    found = access.each(kubernetes.POD, install.namespace, labelSelector=selector)
    return sorted((types.live(each) for each in found), key=lambda pod: pod.meta.name)


def log(install: Install, name: str) -> tuple[Right, str]:
    """The right that one needs for a replica's log, and its path."""
    right = Right("get", "pods/log", install.namespace)
    return right, kubernetes.POD.url_path(install.namespace, name, "log")


def metrics(install: Install, pod: LivePod) -> tuple[Right, str]:
    """The same for its metrics, which the API server fetches: it takes no name for the port."""
    right = Right("get", "pods/proxy", install.namespace)
    root = kubernetes.POD.url_path(install.namespace)
    return right, f"{root}/{pod.meta.name}:{_port(pod)}/proxy/metrics"


def _port(pod: LivePod) -> int:
    ports = (
        port
        for container in (pod.raw.get("spec") or {}).get("containers") or ()
        for port in container.get("ports") or ()
    )
    found = (port["containerPort"] for port in ports if port.get("name") == "metrics")
    return next(found, _USUAL_PORT)
