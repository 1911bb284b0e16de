"""Case files -> requests: the short forms of `tests/cases/*.yaml`, and how an answer is read.

A case states a cluster, a namespace, a policy and a pod, and what must come of it. Anyone can
add one without reading this file: `tests/cases/README.md` has the form.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonpatch
import msgspec

from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.gpu import inventory
from webhook.core.gpu.values import Inventory
from webhook.core.policy import load as policy_file
from webhook.core.policy import yaml_text
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict

CASES = Path(__file__).parent.parent / "cases"
DEFAULT_POLICY = (Path(__file__).parents[2] / "webhook" / "policies" / "default.yaml").read_text(
    encoding="utf-8"
)
HEAD = {"apiVersion": "gpu-sharing.io/v1", "kind": "Policy"}
Case = dict[str, Any]


def read(path: Path) -> Any:
    """The YAML of one file."""
    return yaml_text.parse_document(path.read_text(encoding="utf-8"), ValueError).value


_nodes = cache(read)


def paths() -> Iterator[Path]:
    """Every case file; the node library is not one."""
    return (path for path in sorted(CASES.rglob("*.yaml")) if path.name != "nodes.yaml")


def expand(name: str, short: Case) -> Case:
    """A Node from its short form, with the labels of GPU Feature Discovery."""
    labels = {"kubernetes.io/hostname": name}
    allocatable = dict(short.get("allocatable", {}))
    for key, label in (
        ("product", "nvidia.com/gpu.product"),
        ("memory", "nvidia.com/gpu.memory"),
        ("sharing", "nvidia.com/gpu.sharing-strategy"),
        ("slices", "nvidia.com/gpu.slices.gi"),
    ):
        if key in short:
            labels[label] = str(short[key])
    if "product" in short:
        labels["nvidia.com/gpu.replicas"] = str(short.get("replicas", 1))
    if "capable" in short:
        labels["nvidia.com/mig.capable"] = str(short["capable"]).lower()
    for profile, slices in short.get("mig", {}).items():
        _slices(profile, slices, labels, allocatable)
    labels |= short.get("labels", {})
    taints = [_taint(text) for text in short.get("taints", ())]
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
        "status": {"allocatable": allocatable},
    }


def _slices(profile: str, slices: Case, labels: dict[str, str], allocatable: Case) -> None:
    prefix, replicas = f"nvidia.com/mig-{profile}", slices.get("replicas", 1)
    labels[f"{prefix}.count"] = str(slices["count"])
    labels[f"{prefix}.replicas"] = str(replicas)
    labels[f"{prefix}.sharing-strategy"] = slices.get("sharing", "none")
    labels[f"{prefix}.memory"] = str(slices["memory"])
    name = f"{prefix}.shared" if slices.get("renamed") else prefix
    allocatable[name] = slices["count"] * replicas


def _taint(text: str) -> dict[str, str]:
    rest, _, effect = text.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, "value": value, "effect": effect}


def cluster(case: Case) -> Inventory:
    """The inventory: nodes by name from `nodes.yaml`, or `{name: …, like: …, …}` with changes."""
    made = []
    for each in case.get("nodes", ()):
        given = {"name": each} if isinstance(each, str) else dict(each)
        name = given.pop("name")
        like = {} if given.pop("bare", False) else _in_library(given.pop("like", name))
        made.append(msgspec.convert(expand(name, like | given), Node))
    policy = rules(case)
    return inventory.build_inventory(made, policy.pools, policy.momentary_taints)


def _in_library(name: str) -> Case:
    library: dict[str, Case] = _nodes(CASES / "nodes.yaml")
    assert name in library, f"{name} is no node of tests/cases/nodes.yaml: {', '.join(library)}"
    return library[name]


def rules(case: Case) -> Policy:
    """The built-in policy with the case's changes."""
    return parsed(json.dumps(HEAD | case.get("policy", {})))


@cache
def parsed(text: str) -> Policy:
    """The policy of a text, once: it is frozen, and reading YAML takes most of a case's time."""
    return policy_file.parse_policy(text, DEFAULT_POLICY)


def request(case: Case, pod: Case) -> AdmissionRequest:
    """The question that the case asks, about the pod as given."""
    old = case.get("old")
    return AdmissionRequest(
        side=Side(case.get("side", "mutate")),
        mode=Mode(case.get("mode", "enforce")),
        uid="a-case",
        operation=case.get("operation", "CREATE"),
        namespace="team",
        user=case.get("user", "system:serviceaccount:kube-system:replicaset-controller"),
        subresource=case.get("subresource", ""),
        pod=msgspec.convert(pod, Pod),
        old_pod=msgspec.convert(old, Pod) if old else None,
        namespace_labels=case.get("namespace", {}),
    )


def answer(case: Case, pod: Case) -> Verdict:
    """The verdict on the case's pod, or on another pod in the same setting."""
    return admit(request(case, pod), rules(case), cluster(case))


def operations(verdict: Verdict) -> list[Case]:
    """The patch as it goes over the wire."""
    made: list[Case] = json.loads(msgspec.json.encode(verdict.patch))
    return made


def patched(pod: Case, verdict: Verdict) -> Case:
    """The pod as the API server would have it after the patch."""
    made: Case = jsonpatch.apply_patch(pod, operations(verdict))
    return made
