"""Steps that are each allowed never lead a tenant's pod, or training, to share a GPU.

People create, gate and change pods; administrators change the policy while no pod waits, and nodes
while nothing runs there; the scheduler puts pods where their placement allows.
"""

import copy
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest

from tests.core import casefiles
from webhook.core.admit import admit
from webhook.core.api.pod import Pod
from webhook.core.decision.classify import classify
from webhook.core.gpu.placement import selects_node
from webhook.core.gpu.values import Inventory, NodeLabels
from webhook.core.verdict import Verdict

Json = dict[str, Any]

TENANT, WORKLOAD = "gpu-sharing.io/tenant", "gpu-sharing.io/workload"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
LIBRARY = casefiles.read(casefiles.CASES / "nodes.yaml")
TOGETHER = (
    *("t4-mps", "a100-80-mps", "t4-slicing", "t4-slicing-renamed"),
    *("a100-80-sliced-slices", "a100-80-renamed-slices", "a100-80-single-sliced"),
)
"""Nodes on which pods share, each as if it had one GPU or one slice for all of them."""
NODES = ("t4-whole", "a100-80-mixed", "a100-80-single", *TOGETHER * 2)
POLICIES: tuple[Json, ...] = (
    {},
    {"tenantPools": "shared", "matrix": {"tenant": {"strategies": ["mig", "mps", "time-slicing"]}}},
)
OWNERS: tuple[Json, ...] = ({}, {TENANT: "blue"}, {TENANT: "red"})
LABELS: tuple[Json, ...] = (
    *({WORKLOAD: each} for each in ("dev", "dev", "dev", "inference", "training")),
    *({WORKLOAD: "dev", TENANT: each} for each in ("blue", "red")),
)
RESOURCES = (*("nvidia.com/gpu",) * 6, "nvidia.com/gpu.shared", "nvidia.com/mig-1g.10gb")
WISHES: tuple[tuple[str, str], ...] = (
    *((TENANT, each) for each in ("blue", "red")),
    *(("nvidia.com/gpu.sharing-strategy", each) for each in ("none", "mps", "time-slicing")),
    *(("nvidia.com/mig-1g.10gb.sharing-strategy", each) for each in ("none", "time-slicing")),
    ("nvidia.com/gpu.slices.gi", "1"),
)
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


@cache
def inventory(nodes: tuple[tuple[str, str | None], ...]) -> Inventory:
    """What nodes of these kinds and owners offer."""
    named = [
        {"name": f"n{index}", "like": kind, "labels": {TENANT: owner} if owner else {}}
        for index, (kind, owner) in enumerate(nodes)
    ]
    return casefiles.cluster({"nodes": named})


class Walk:
    """A cluster of three nodes through which steps are taken at random."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - not for secrets
        self.policy = POLICIES[seed % 2]
        self.nodes: list[tuple[str, str | None]] = [("t4-mps", each) for each in (None, "blue")]
        self.nodes.append(("a100-80-mixed", None))
        self.waiting: list[tuple[Json, Json]] = []
        self.running: list[tuple[int, str | None, str]] = []

    def admit(self, side: str, namespace: Json, pod: Json, old: Json | None = None) -> Verdict:
        """Answer as the webhook would at this moment."""
        update = {"operation": "UPDATE", "old": old} if old else {}
        asked = casefiles.request({"side": side, "namespace": namespace} | update, pod)
        rules = casefiles.rules({"policy": self.policy})
        return admit(asked, rules, inventory(tuple(self.nodes)))

    def change_policy(self) -> None:
        """Change the policy, and have what waits made anew, as docs/security.md says."""
        self.policy, self.waiting = self.random.choice(POLICIES), []

    def drain_and_change_node(self) -> None:
        index = self.random.randrange(3)
        owner = self.random.choice((None, "blue"))
        self.running = [each for each in self.running if each[0] != index]
        self.nodes[index] = self.random.choice(NODES), owner

    def restrict(self, pod: Json, often: float) -> None:
        """Restrict a pod to fewer nodes, as the API server lets one who changes a gated pod."""
        if self.random.random() > often:
            return
        (key, value), operator = self.random.choice(WISHES), self.random.choice(OPERATORS)
        values = {"values": [value]} if operator in ("In", "NotIn") else {}
        affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
        terms = affinity.setdefault(REQUIRED, {"nodeSelectorTerms": [{}]})["nodeSelectorTerms"]
        for term in terms:
            expressions = term.setdefault("matchExpressions", [])
            expressions.append({"key": key, "operator": operator} | values)

    def create(self) -> None:
        """Create a pod, which another webhook may restrict further after ours."""
        limits = {self.random.choice(RESOURCES): "1"}
        container = {"name": "main", "resources": {"limits": limits}}
        labels, namespace = self.random.choice(LABELS), self.random.choice(OWNERS)
        pod: Json = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        self.restrict(pod, 0.2)
        mutated = self.admit("mutate", namespace, pod)
        made = casefiles.patched(pod, mutated)
        self.restrict(made, 0.1)
        if mutated.allowed and self.admit("validate", namespace, made).allowed:
            self.waiting.append((namespace, made))

    def change(self) -> None:
        """Change a gated pod: any of its labels, and its placement."""
        if not self.waiting:
            return
        namespace, old = self.waiting.pop(0)
        new = copy.deepcopy(old) | {"metadata": {"labels": self.random.choice(LABELS)}}
        self.restrict(new, 0.3)
        allowed = self.admit("validate", namespace, new, old).allowed
        self.waiting.append((namespace, new if allowed else old))

    def schedule(self) -> None:
        """Put every pod on a node that may run there and finds what it requests."""
        for index in range(3):
            self.start_on(index)

    def start_on(self, index: int) -> None:
        kind, owner = self.nodes[index]
        node = casefiles.expand(f"n{index}", LIBRARY[kind])
        labels = node["metadata"]["labels"] | ({TENANT: owner} if owner else {})
        waiting, self.waiting = self.waiting, []
        for namespace, made in waiting:
            pod = msgspec.convert(made, Pod)
            [resource] = made["spec"]["containers"][0]["resources"]["limits"]
            found = node["status"]["allocatable"].get(resource)
            if found and selects_node(pod, NodeLabels(f"n{index}", labels)):
                asked = classify(pod, namespace, casefiles.rules({}))
                self.running.append((index, asked.tenant, asked.workload.value))
            else:
                self.waiting.append((namespace, made))

    def steps(self) -> None:
        every = (self.change_policy, self.drain_and_change_node, self.schedule, self.change)
        for step in self.random.choices((*every, self.create), (1, 1, 3, 3, 9), k=80):
            step()
            self.check()

    def check(self) -> None:
        """Hold that whoever shares a node's GPUs is of one tenant or none, and no training."""
        for index, (kind, _) in enumerate(self.nodes):
            here = [each for each in self.running if each[0] == index and kind in TOGETHER]
            assert all(workload != "training" for _, _, workload in here), (kind, here)
            assert len({tenant for _, tenant, _ in here}) < 2, (kind, here)


@pytest.mark.parametrize("seed", range(50))
def test_no_allowed_steps_end_with_two_tenants_on_a_gpu(seed: int) -> None:
    Walk(seed).steps()
