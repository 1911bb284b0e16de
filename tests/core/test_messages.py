"""Every refusal names its cause, its place and a mend, whatever other nodes stand beside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from casefiles import DEFAULT_POLICY
from hypothesis import given
from hypothesis import strategies as some
from worlds import ask, examples, world

from webhook.core.admit import admit
from webhook.core.policy.load import parse_policy

Json = dict[str, Any]
HEAD = "apiVersion: gpu-sharing.io/v1\nkind: Policy\n"


def node(name: str, *, taints: tuple[str, ...] = (), count: int = 8, **labels: str) -> Json:
    """A node of whole H100s."""
    return {
        "metadata": {
            "name": name,
            "labels": {
                "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
                "nvidia.com/gpu.count": str(count),
                "nvidia.com/gpu.replicas": "1",
                "nvidia.com/gpu.memory": "81559",
                "nvidia.com/gpu.sharing-strategy": "none",
                "nvidia.com/mig.capable": "true",
                **{key.replace("__", "/"): value for key, value in labels.items()},
            },
        },
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
        "status": {"allocatable": {"nvidia.com/gpu": str(count)}},
    }


def pod(workload: str = "training", count: int = 1, **spec: Any) -> Json:
    limits = {"nvidia.com/gpu": str(count)}
    return {
        "metadata": {"name": "p", "labels": {"gpu-sharing.io/workload": workload}},
        "spec": {"containers": [{"name": "main", "resources": {"limits": limits}}], **spec},
    }


def annotated(made: Json, **annotations: str) -> Json:
    made["metadata"]["annotations"] = {f"gpu-sharing.io/{k}": v for k, v in annotations.items()}
    return made


def affinity(key: str, operator: str, *values: str) -> Json:
    term = {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"nodeAffinity": required}


CAUSES = {
    "selector": "selects none of their nodes",
    "taint": "does not tolerate",
    "node name": "spec.nodeName is",
    "memory": "for each GPU",
    "number": "no reachable node has more than",
    "strategy": "which no node offers",
    "name": "no node offers nvidia.com/mig-",
    "several": "the policy gives",
    "limit range": "LimitRange",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A pod and the nodes that it is about: which cause is told, and what else of it.

    `beside` are kinds of bystanders that would make the cause another one.
    """

    cause: str
    pod: Json
    nodes: tuple[Json, ...]
    parts: tuple[str, ...]
    policy: str = ""


A = node("a", pool="a")
CASES = {
    "selector": Told(
        "selector",
        pod(nodeSelector={"pool": "x"}),
        (A,),
        ("nodeSelector pool=x", "they have pool=a", "write that, or remove it"),
    ),
    "selector-before-taints": Told(
        "selector",
        pod(nodeSelector={"pool": "x"}),
        (node("a", pool="a", taints=("dedicated",)),),
        ("nodeSelector pool=x", "they have pool=a"),
    ),
    "affinity": Told(
        "selector",
        pod(affinity=affinity("zone", "In", "north", "south")),
        (node("a", zone="east"),),
        ("required node affinity zone In [north, south]", "they have zone=east"),
    ),
    "excluding": Told(
        "selector",
        pod(affinity=affinity("pool", "NotIn", "a")),
        (A,),
        ("required node affinity pool NotIn [a]", "their nodes; remove it"),
    ),
    "several-values": Told(
        "selector",
        pod(nodeSelector={"pool": "x"}),
        (A, node("b", pool="b")),
        ("they have pool=a or b: write that",),
    ),
    "autoscaler": Told(
        "selector",
        pod(nodeSelector={"karpenter.sh/nodepool": "gpu"}),
        (A,),
        ("karpenter.sh/nodepool=gpu", "have the pool declared in the policy (pools)"),
    ),
    "taint": Told(
        "taint",
        pod(nodeSelector={"pool": "a"}),
        (node("a", pool="a", taints=("dedicated",)),),
        ("dedicated:NoSchedule", "add a toleration"),
    ),
    "node-name": Told(
        "node name", pod(nodeName="cpu-1"), (A,), ("cpu-1", "which offers none of them; remove it")
    ),
    "memory-by-annotation": Told(
        "memory",
        annotated(pod(), **{"gpu-memory": "200Gi"}),
        (A,),
        ("204800 MiB", "(annotation gpu-sharing.io/gpu-memory)", "81559 MiB", "lower annotation"),
    ),
    "memory-by-the-policy": Told(
        "memory",
        pod(),
        (A,),
        ("by the policy: matrix.training.memory", "set a lower annotation"),
        "matrix: {training: {memory: 200Gi}}",
    ),
    "number": Told("number", pod(count=16), (A,), ("16 requested", "8; request 8 or fewer")),
    "strategy": Told(
        "strategy",
        pod("tenant"),
        (A,),
        ("a tenant's pod needs mig", "offered: exclusive", "administrator can add such a pool"),
    ),
    "several": Told(
        "several",
        pod("dev", count=2),
        (A,),
        ("2 requested", "write 1, or ask an administrator", "matrix.dev.severalGpus: exclusive"),
    ),
    "limit-range": Told(
        "limit range",
        {
            "metadata": {"name": "p", "labels": {"gpu-sharing.io/workload": "inference"}},
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "resources": {
                            "limits": {"nvidia.com/gpu": "1", "nvidia.com/mig-1g.10gb": "1"}
                        },
                    }
                ]
            },
        },
        (A,),
        ("nvidia.com/gpu and nvidia.com/mig-1g.10gb", "keep one of them", "remove that"),
    ),
    "name": Told(
        "name",
        {
            "metadata": {"name": "p", "labels": {"gpu-sharing.io/workload": "inference"}},
            "spec": {
                "containers": [
                    {"name": "main", "resources": {"limits": {"nvidia.com/mig-1g.10gb": "1"}}}
                ]
            },
        },
        (A,),
        ("write limits nvidia.com/gpu: 1 for what it may use: exclusive nvidia.com/gpu",),
    ),
}


def bystanders() -> some.SearchStrategy[list[Json]]:
    """Nodes that no pod of these cases can use for reasons of their own."""
    kinds: tuple[Callable[[str], Json], ...] = (
        lambda name: {"metadata": {"name": name}, "status": {"allocatable": {"cpu": "4"}}},
        lambda name: node(name, gpu_sharing_io="x") | {"status": {"allocatable": {"cpu": "4"}}},
        lambda name: node(name, **{"gpu-sharing.io__tenant": "somebody"}, taints=("theirs",)),
    )
    picked = some.lists(some.sampled_from(kinds), max_size=4)
    return picked.map(lambda made: [make(f"b{at}") for at, make in enumerate(made)])


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_names_cause_place_and_mend_and_no_other_cause(name: str) -> None:
    case = CASES[name]
    policy = parse_policy(HEAD + case.policy, DEFAULT_POLICY)

    @examples(20)
    @given(beside=bystanders())
    def holds(beside: list[Json]) -> None:
        inventory = world([*case.nodes, *beside], policy)
        verdict = admit(ask(case.pod, {}), policy, inventory)
        assert not verdict.allowed
        text = verdict.message
        assert 'container "main"' in text, text
        for part in (CAUSES[case.cause], *case.parts):
            assert part in text, f"{part!r} is missing: {text}"
        others = [words for cause, words in CAUSES.items() if cause != case.cause]
        assert [words for words in others if words in text] == [], text
        assert "1 nodes" not in text

    holds()


FALLBACKS = {
    "memory": (annotated(pod("inference"), **{"gpu-memory": "60Gi"}), "has 61440 MiB; lower"),
    "none": (pod("dev"), "no node offers time-slicing or mps to it"),
    "elsewhere": (
        pod("inference", nodeSelector={"pool": "a"}),
        "no mig or mps where it can go; change selectors",
    ),
}


@pytest.mark.parametrize("name", FALLBACKS)
def test_a_fallback_says_why_and_what_would_change_it(name: str) -> None:
    made, part = FALLBACKS[name]
    policy = parse_policy(HEAD, DEFAULT_POLICY)
    sliced = node("m", count=1, **{"nvidia.com__mig-1g.10gb.count": "7"})
    sliced["metadata"]["labels"] |= {
        "nvidia.com/mig-1g.10gb.product": "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb",
        "nvidia.com/mig-1g.10gb.memory": "9984",
        "nvidia.com/mig-1g.10gb.replicas": "1",
        "nvidia.com/mig-1g.10gb.sharing-strategy": "none",
        "nvidia.com/mig.strategy": "mixed",
    }
    sliced["status"]["allocatable"] = {"nvidia.com/mig-1g.10gb": "7"}
    verdict = admit(ask(made, {}), policy, world([A, sliced], policy))
    assert verdict.allowed
    [warning] = verdict.warnings
    assert warning.startswith("a whole GPU: ")
    assert part in warning
    assert len(warning) <= 120
