"""The objects of a small cluster for the commands that look at one, as an API server has them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from command_line import INVENTORY
from fake_cluster import FakeCluster, log_of, metrics_of

from webhook.process.version import version

Json = dict[str, Any]
NOW = datetime.now(UTC)
WEBHOOK = 'Error creating: admission webhook "mutate.gpu-sharing.io" denied the request: '
TWO_FOR_DEV = (
    'container "main": nvidia.com/gpu: 2 requested, the policy gives workload dev 1 in a '
    "container; write 1, or ask an administrator to allow whole GPUs (policy: "
    "matrix.dev.severalGpus: exclusive) [several_gpus_not_allowed]"
)
REPLICAS = ("gpu-sharing-6f9d8-aaaaa", "gpu-sharing-6f9d8-bbbbb")


def at(seconds_ago: float) -> str:
    """A moment in the past, seen from when the commands are run."""
    then = NOW - timedelta(seconds=seconds_ago)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def template(workload: str | None, count: int = 1, **more: Any) -> Json:
    """A pod template of one container."""
    labels = {"app": "x"} | ({"gpu-sharing.io/workload": workload} if workload else {})
    limits = {"nvidia.com/gpu": str(count)} if count else {}
    resources = {"limits": limits, "requests": dict(limits)} if count else {}
    container = {"name": "main", "image": "app:1", "resources": resources}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], **more}}


def made(kind: str, version: str, name: str, namespace: str, **more: Any) -> Json:
    """An object; `owner` is the object that controls it."""
    owner = more.pop("owner", None)
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"{kind}-{namespace}-{name}",
        "creationTimestamp": at(more.pop("age", 7200)),
        "labels": more.pop("labels", {}),
        "annotations": more.pop("annotations", {}),
    }
    if owner:
        metadata["ownerReferences"] = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def live_pod(cluster: FakeCluster, owner: Json, name: str, node: str | None, **more: Any) -> Json:
    """Create a pod of an owner's template as the cluster would, and let it live there."""
    namespace = owner["metadata"]["namespace"]
    plain = copy.deepcopy(owner["spec"]["template"])
    created = cluster.create(plain, namespace).item
    metadata = created["metadata"]
    pod = made("Pod", "v1", name, namespace, owner=owner, age=more.pop("age", 3600))
    pod["metadata"] |= {
        "generateName": name.rpartition("-")[0] + "-",
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
    }
    pod["spec"] = copy.deepcopy(created["spec"]) | ({"nodeName": node} if node else {})
    pod["status"] = more.pop("status", {"phase": "Running" if node else "Pending"})
    cluster.put("pods", pod)
    return pod


def more_of(cluster: FakeCluster, namespace: str, name: str, count: int) -> None:
    """Let so many pods live that are as one that is there."""
    one = cluster.find("pods", namespace, name)
    for number in range(count):
        metadata = one["metadata"] | {"name": f"{name}-{number:05}", "uid": f"{name}-{number}"}
        cluster.put("pods", one | {"metadata": metadata})


def waiting(message: str) -> Json:
    """The status of a pod that the scheduler cannot place."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {"phase": "Pending", "conditions": [condition | {"message": message}]}


def event(regarding: Json, reason: str, message: str, **more: Any) -> Json:
    """An event of the core group."""
    metadata = regarding["metadata"]
    name = f"{metadata['name']}.{len(message)}{reason.lower()}{more.get('count', 1)}"
    told = made("Event", "v1", name, metadata["namespace"], age=more.pop("first", 600))
    involved = {"kind": regarding["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    count, last = more.pop("count", 1), more.pop("last", 60)
    return told | {
        "involvedObject": involved | {"namespace": metadata["namespace"]},
        "reason": reason,
        "message": message,
        "type": more.pop("type", "Warning"),
        "count": count,
        "firstTimestamp": told["metadata"]["creationTimestamp"],
        "lastTimestamp": at(last),
        "source": {"component": more.pop("by", "replicaset-controller")},
    }


def our_event(regarding: Json, reason: str, message: str, **more: Any) -> Json:
    """An event that the webhook wrote; `violations` default to one with the message."""
    text = message.removesuffix(f" [{reason}]").removeprefix('container "main": ')
    usual = [{"reason": reason, "container": "main", "message": text}]
    decision = {"allowed": False, "reason": reason, "violations": usual} | more.pop("decision", {})
    count, last = more.pop("count", 1), more.pop("last", 60)
    told = event(regarding, reason, message, **more)
    for key in ("count", "firstTimestamp", "lastTimestamp"):
        del told[key]
    series = {"count": count, "lastObservedTime": at(last)}
    return told | {
        "metadata": told["metadata"]
        | {
            "name": told["metadata"]["name"] + ".ours",
            "annotations": {"gpu-sharing.io/decision": json.dumps(decision)},
        },
        "action": "Refused",
        "eventTime": told["metadata"]["creationTimestamp"],
        "reportingComponent": "gpu-sharing.io/webhook",
        "source": {},
        "series": series if count > 1 else None,
    }


def workload(cluster: FakeCluster, name: str, namespace: str, spec: Json) -> tuple[Json, Json]:
    """A Deployment and its ReplicaSet, from the template and the number of its pods."""
    replicas = spec.pop("replicas", 1)
    whole = {"replicas": replicas, "template": spec.pop("template")}
    deployment = made("Deployment", "apps/v1", name, namespace, spec=whole, status={})
    hashed = copy.deepcopy(whole)
    hashed["template"]["metadata"]["labels"]["pod-template-hash"] = "7d4b9"
    revision = {"deployment.kubernetes.io/revision": "1"}
    replica_set = made(
        "ReplicaSet", "apps/v1", f"{name}-7d4b9", namespace, owner=deployment, spec=hashed, **spec
    )
    replica_set["metadata"]["annotations"] = revision
    cluster.put("deployments", deployment)
    cluster.put("replicasets", replica_set)
    return deployment, replica_set


@cache
def _inventory() -> Json:
    """What the file has, once: reading it takes longer than most commands."""
    found: Json = yaml.load(Path(INVENTORY).read_bytes(), yaml.CSafeLoader)
    return found


def small_cluster() -> FakeCluster:
    """Nodes of the examples, a few namespaces, workloads that run and one that is refused."""
    cluster = FakeCluster()
    for each in copy.deepcopy(_inventory())["items"]:
        cluster.put(each["kind"].lower() + "s", each)
    for name, labels in (
        ("lab", {"gpu-sharing.io/mode": "audit", "gpu-sharing.io/workload": "dev"}),
        ("legacy", {}),
        ("gpu-sharing", {}),
    ):
        cluster.put("namespaces", made("Namespace", "v1", name, "", labels=labels))
    _shop(cluster)
    _others(cluster)
    _installed(cluster)
    return cluster


def _shop(cluster: FakeCluster) -> None:
    whole = {"template": template("inference"), "replicas": 3, "status": {"replicas": 3}}
    _, replica_set = workload(cluster, "recommender", "shop", whole)
    live_pod(cluster, replica_set, "recommender-7d4b9-aaaaa", "a100-mig-1")
    live_pod(cluster, replica_set, "recommender-7d4b9-bbbbb", "a100-mig-2")
    message = (
        "0/5 nodes are available: 2 Insufficient nvidia.com/mig-1g.5gb, 3 node(s) didn't match "
        "Pod's node affinity/selector. preemption: 0/5 nodes are available: 2 No preemption "
        "victims found for incoming pod, 3 Preemption is not helpful for scheduling."
    )
    status = waiting(message)
    live_pod(cluster, replica_set, "recommender-7d4b9-ccccc", None, status=status, age=300)
    refused = {"template": template("dev", 2), "replicas": 2, "status": {"replicas": 0}}
    deployment, chat = workload(cluster, "chat", "shop", refused)
    text = WEBHOOK + TWO_FOR_DEV
    deployment["status"] = {
        "conditions": [{"type": "ReplicaFailure", "status": "True", "message": text}]
    }
    cluster.put("events", event(chat, "FailedCreate", text, count=17))
    cluster.put("events", our_event(deployment, "several_gpus_not_allowed", TWO_FOR_DEV, count=17))


def _others(cluster: FakeCluster) -> None:
    job = made("Job", "batch/v1", "train", "team-blue", spec={"template": template("training", 4)})
    cluster.put("jobs", job)
    live_pod(cluster, job, "train-x2x4k", "h100-whole-1")
    lab = made("StatefulSet", "apps/v1", "nb", "lab", spec={"template": template(None)})
    cluster.put("statefulsets", lab)
    live_pod(cluster, lab, "nb-0", "h100-whole-1")
    old = made("ReplicaSet", "apps/v1", "old-1", "legacy", spec={"template": template(None)})
    cluster.put("replicasets", old)
    live_pod(cluster, old, "old-1-aaaaa", "h100-whole-1")
    before = made("Pod", "v1", "early", "shop", spec=template("dev")["spec"], age=90000)
    before["spec"]["nodeName"] = "h100-whole-1"
    before["status"] = {"phase": "Running"}
    cluster.put("pods", before)
    web = made("Pod", "v1", "web", "shop", spec=template(None, 0)["spec"])
    cluster.put("pods", web | {"status": {"phase": "Running"}})


def _installed(cluster: FakeCluster) -> None:
    labels = {"app.kubernetes.io/name": "gpu-sharing", "app.kubernetes.io/instance": "gpu-sharing"}
    server = labels | {"app.kubernetes.io/component": "server"}
    controller = labels | {"app.kubernetes.io/component": "certificates"}
    policy = {"policy.yaml": "apiVersion: gpu-sharing.io/v1\nkind: Policy\n"}
    for name in ("gpu-sharing-policy", "gpu-sharing-policy-in-force"):
        cluster.put("configmaps", made("ConfigMap", "v1", name, "gpu-sharing", data=dict(policy)))
    for name, many in (("gpu-sharing", 2), ("gpu-sharing-certificates", 1)):
        container = {"name": "webhook", "image": "registry.example.org/gpu-sharing:0.1.0"}
        spec = {"replicas": many, "template": {"spec": {"containers": [container]}}}
        status = {"replicas": many, "readyReplicas": many, "updatedReplicas": many}
        deployment = made("Deployment", "apps/v1", name, "gpu-sharing", spec=spec, status=status)
        cluster.put("deployments", deployment)
    for index, name in enumerate(REPLICAS):
        pod = made("Pod", "v1", name, "gpu-sharing", labels=server, spec={"containers": []})
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        cluster.put("pods", pod | {"status": ready})
        cluster.texts[log_of(name)] = log(index)
        cluster.texts[metrics_of(name)] = metrics()
    pod = made("Pod", "v1", "gpu-sharing-certificates-1", "gpu-sharing", labels=controller)
    cluster.put("pods", pod | {"spec": {"containers": []}, "status": {"phase": "Running"}})
    _configurations(cluster)


def _configurations(cluster: FakeCluster) -> None:
    for kind, side in (("mutating", "mutate"), ("validating", "validate")):
        name = f"{kind.title()}WebhookConfiguration"
        wanted = json.dumps({f"{side}.gpu-sharing.io": "Fail"})
        found = made(name, "admissionregistration.k8s.io/v1", "gpu-sharing", "")
        found["metadata"]["annotations"] = {"gpu-sharing.io/failure-policies": wanted}
        found["webhooks"] = [
            {
                "name": f"{side}.{word}gpu-sharing.io",
                "failurePolicy": policy,
                "clientConfig": {"caBundle": "LS0t"},
                "rules": [{"resources": ["pods"]}],
                "namespaceSelector": {"matchExpressions": [{"key": "gpu-sharing.io/mode"}]},
                "matchConditions": [{"name": "a"}],
            }
            for word, policy in (("", "Fail"), ("audit.", "Ignore"))
        ]
        cluster.put(f"{kind}webhookconfigurations", found)


REVIEW: Json = {
    "event": "review",
    "level": "info",
    "side": "mutate",
    "operation": "CREATE",
    "namespace": "shop",
    "owner_kind": "ReplicaSet",
    "owner": "recommender-7d4b9",
    "user": "system:serviceaccount:kube-system:replicaset-controller",
    "workload": "inference",
    "tenant": None,
    "containers": [
        {
            "name": "main",
            "from": {"nvidia.com/gpu": 1},
            "to": {"nvidia.com/mig-1g.5gb": 1},
            "strategy": "mig",
            "reason": "mig_slice",
        }
    ],
    "strategy": "mig",
    "allowed": True,
    "reason": "mig_slice",
    "message": None,
    "mode": "enforce",
    "dryRun": False,
    "latency_ms": 0.3,
}
"""A line of a replica's log; each replica has its own uid and time."""


def log(replica: int) -> str:
    """What a replica wrote: reviews, and lines that are none."""
    line = REVIEW | {"uid": f"u{replica}", "timestamp": at(900 - replica)}
    refused = line | {
        "owner": "chat-7d4b9",
        "workload": "dev",
        "strategy": None,
        "allowed": False,
        "reason": "several_gpus_not_allowed",
        "message": TWO_FOR_DEV,
        "containers": [{"name": "main", "from": {"nvidia.com/gpu": 2}, "to": {}}],
        "timestamp": at(600 - replica),
    }
    other = {"event": "policy_loaded", "level": "info", "timestamp": at(3000)}
    lines = [json.dumps(other), json.dumps(line), json.dumps(refused), "Traceback (most recent…"]
    return "\n".join(lines) + "\n"


def metrics(**more: float) -> str:
    """A page of metrics of a replica that is well."""
    gauges = {
        "gpu_sharing_certificate_not_after_seconds": NOW.timestamp() + 60 * 86400,
        "gpu_sharing_inventory_age_seconds": 3.0,
        "gpu_sharing_inventory_nodes": 5,
        f'gpu_sharing_build_info{{version="{version()}"}}': 1,
        "gpu_sharing_policy_generation": 1,
        "gpu_sharing_policy_stale": 0,
        "gpu_sharing_unreviewed_look_seconds": NOW.timestamp() - 60,
        'gpu_sharing_unreviewed_pods{namespace="shop"}': 0,
    } | more
    lines = [f"{name} {value}" for name, value in gauges.items()]
    lines += [
        'gpu_sharing_inventory_offers{resource="nvidia.com/mig-1g.5gb",strategy="mig",'
        'product="NVIDIA-A100-SXM4-40GB"} 56',
        'gpu_sharing_inventory_offers{resource="nvidia.com/gpu",strategy="exclusive",'
        'product="NVIDIA-H100-80GB-HBM3"} 8',
        'gpu_sharing_refusals_total{reason="several_gpus_not_allowed",workload="dev",'
        'side="mutate",mode="enforce"} 17',
        'gpu_sharing_events_total{result="dropped"} 0',
        'gpu_sharing_events_total{result="sent"} 4',
    ]
    return "\n".join(lines) + "\n"
