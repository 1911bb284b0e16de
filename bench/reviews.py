"""The reviews that are sent: pods of a ReplicaSet, of sizes that occur and one that does not."""

import json
from typing import Any

from bench.client import NUMBER

SIZES = {"1.5 kB": (1, 2, 20), "5 kB": (2, 21, 40), "36 kB": (10, 42, 40), "700 kB": (10, 45, 1500)}
"""Containers, variables of each and letters of each variable."""
VOLUME = "kube-api-access-abcde"


def container(number: int, variables: int, letters: int) -> dict[str, Any]:
    """A container as the API server sends it after defaulting."""
    limits = {"cpu": "4", "memory": "16Gi"} | ({} if number else {"nvidia.com/gpu": "1"})
    texts = (f"value {each} ".ljust(letters, "x") for each in range(variables))
    env = [{"name": f"VARIABLE_{each}", "value": text} for each, text in enumerate(texts)]
    probe = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10}
    return {
        "name": f"main-{number}",
        "image": "registry.example/app:1.0",
        "env": [{"name": "RANK", "value": NUMBER.decode()}, *env] if not number else env,
        "resources": {"limits": limits, "requests": dict(limits)},
        "volumeMounts": [{"name": VOLUME, "readOnly": True, "mountPath": "/var/run/secrets/token"}],
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
    }


def body(size: str) -> str:
    """The review of a pod that a ReplicaSet creates."""
    containers, variables, letters = SIZES[size]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1" * 36}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "web-",
            "labels": {"app": "web", "gpu-sharing.io/workload": "inference"},
            "ownerReferences": [owner | {"controller": True}],
        },
        "spec": {
            "containers": [container(each, variables, letters) for each in range(containers)],
            "volumes": [{"name": VOLUME, "projected": {"defaultMode": 420}}],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}],
        },
    }
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller"},
        "object": pod,
        "dryRun": False,
    }
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    return json.dumps(review, separators=(",", ":"))
