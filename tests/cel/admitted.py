"""Objects that a rendered webhook or policy is asked about, of any size."""

from tests.cel.protocol import Case, Json

_REACHING: Json = {
    "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}],
    "envFrom": [{"configMapRef": {"name": "any"}}],
    "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
    "volumeMounts": [{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}],
    "resources": {"limits": {"nvidia.com/gpu": 1}},
}
"""What the last container of a pod that breaks the rules has."""


def case(owner: str, containers: int, *, operation: str, breaking: bool) -> Case:
    """A request that the webhook or policy of this name matches, by a tenant."""
    made = _object(owner, containers, breaking=breaking)
    namespace: Json = {"metadata": {"name": "n", "labels": {"gpu-sharing.io/tenant": "t"}}}
    return Case(made, operation, made if operation == "UPDATE" else None, namespace)


def _object(owner: str, containers: int, *, breaking: bool) -> Json:
    """What a webhook or policy is asked about: a pod where its name says nothing else."""
    about: Json = {"name": "a", "namespace": "n"}
    template = _pod(containers, breaking=breaking)
    if "namespace-labels" in owner:
        labels = {f"label-{number}": "x" for number in range(containers)}
        labels["gpu-sharing.io/mode"] = "enforce"
        return {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "n", "labels": labels},
        }
    if "claims" in owner or "certificates" in owner:
        return {"metadata": about} | (_claim() if "claims" in owner else _configuration())
    if "custom" in owner:
        kind = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob"}
        return {**kind, "metadata": about, "spec": {"template": template}}
    if "cronjobs" in owner:
        spec: Json = {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}
        return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": about, "spec": spec}
    if "advise" in owner:
        spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}
    return template


def _claim() -> Json:
    """A claim of as many requests as there can be."""
    requests = [{"name": f"r{n}", "exactly": {"deviceClassName": "a"}} for n in range(32)]
    spec = {"devices": {"requests": requests, "config": []}}
    return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "spec": spec}


def _configuration() -> Json:
    """A configuration of one webhook: its number is the chart's, not an attacker's."""
    entry = {"name": "a", "failurePolicy": "Fail", "clientConfig": {"url": "a"}}
    entry["reinvocationPolicy"] = "Never"
    api = "admissionregistration.k8s.io/v1"
    return {"apiVersion": api, "kind": "MutatingWebhookConfiguration", "webhooks": [entry]}


def _pod(containers: int, *, breaking: bool) -> Json:
    """A pod of which only the last container may break rules, so that all are looked at."""
    made = [_container(number) for number in range(containers)]
    if breaking:
        made[-1] = {**made[-1], **_REACHING}
    about = {"name": "p", "namespace": "n", "labels": {"app": "a"}, "annotations": {"a": "b"}}
    return {"metadata": about, "spec": {"containers": made}}


def _container(number: int) -> Json:
    """A container of about 1 kB that breaks no rule."""
    return {
        "name": f"c{number}",
        "image": "registry.example.org/team/image:1.2.3",
        "env": [{"name": f"VARIABLE_{n}", "value": "x" * 20} for n in range(10)],
        "envFrom": [{"prefix": "SOME_", "configMapRef": {"name": "any"}}],
        "volumeMounts": [{"name": "v", "mountPath": f"/some/path/{n}"} for n in range(3)],
        "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE", "CHOWN"]}},
        "resources": {"limits": {"cpu": 1, "memory": "1Gi", "example.org/thing": 1}},
    }
