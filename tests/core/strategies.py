"""Hypothesis strategies: pods, nodes, namespaces and policies as they occur, and worse.

What is drawn from is made once: hypothesis looks at each new strategy before it draws.
"""

import json
from typing import Any

from casefiles import HEAD, expand, parsed
from hypothesis import strategies as st

Json = dict[str, Any]

PRODUCTS = ("NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3", "Tesla-T4", "NVIDIA-L4", "NVIDIA-A30")
PROFILES = ("1g.10gb", "1g.10gb.me", "2g.20gb", "3g.40gb", "1g.24gb-me")
GPUS = (
    *("nvidia.com/gpu",) * 6,
    "nvidia.com/gpu.shared",
    "nvidia.com/mig-1g.10gb",
    "nvidia.com/mig-1g.10gb.shared",
    "nvidia.com/mig-1g.10gb.me",
    "nvidia.com/mig-3g.40gb",
)
OTHERS = ("cpu", "nvidia.com/gpumem", "hugepages-2Mi")
QUANTITIES = (1, "1", "1", 1, "1", "1e0", "1000m", 2, "8", "0")
BAD_QUANTITIES = ("0.5", "-1", "1e30", "$GPUS", "NaN")
WORKLOADS = ("training", "inference", "inference", "dev", "dev", "tenant")
FORGED = ("{}", "forged", "[1]", '{"containers":1}')
BAD_LABELS = ({}, {"gpu-sharing.io/workload": "Training"}, {"gpu-sharing.io/tenant": ""})
BAD_ANNOTATIONS = (
    {"gpu-sharing.io/gpu-memory": "4GB"},
    {"gpu-sharing.io/gpu-memory": "1"},
    {"gpu-sharing.io/mig-profile": "1c.2g.20gb"},
)

KINDS = (
    {"sharing": "none", "allocatable": {"nvidia.com/gpu": 8}},
    {"sharing": "none", "allocatable": {"nvidia.com/gpu": 0}, "replicas": 0},
    {"sharing": "none", "allocatable": {"nvidia.com/gpu": 2, "nvidia.com/gpu.shared": 4}},
    {
        "sharing": "none",
        "slices": 1,
        "suffix": "-MIG-1g.10gb",
        "allocatable": {"nvidia.com/gpu": 14},
    },
    {
        "sharing": "none",
        "slices": 3,
        "suffix": "-MIG-3g.40gb",
        "allocatable": {"nvidia.com/gpu": 4},
    },
    {"sharing": "", "suffix": "-MIG-INVALID", "allocatable": {"nvidia.com/gpu": 0}},
    {"sharing": "mps", "replicas": 10, "allocatable": {"nvidia.com/gpu.shared": 10}},
    {"sharing": "mps", "replicas": 4, "suffix": "-SHARED", "allocatable": {"nvidia.com/gpu": 4}},
    {"sharing": "time-slicing", "replicas": 4, "allocatable": {"nvidia.com/gpu.shared": 4}},
    {
        "sharing": "time-slicing",
        "replicas": 8,
        "suffix": "-SHARED",
        "allocatable": {"nvidia.com/gpu": 8},
    },
)
TAINTS = ((), (), ("nvidia.com/gpu=present:NoSchedule",), ("a=b:NoExecute",))
LABELS = ({}, {}, {"pool": "a"}, {"gpu-sharing.io/tenant": "blue"})

_memory = st.sampled_from((4864, 9856, 15360, 40320, 81920))
_mig = st.dictionaries(
    st.sampled_from(PROFILES),
    st.fixed_dictionaries(
        {
            "count": st.integers(1, 7),
            "memory": _memory,
            "replicas": st.sampled_from((1, 1, 4)),
            "sharing": st.sampled_from(("none", "none", "none", "time-slicing")),
            "renamed": st.booleans(),
        }
    ),
    max_size=3,
)


_kinds, _products = st.sampled_from(KINDS), st.sampled_from(PRODUCTS)
_taints, _labels = st.sampled_from(TAINTS), st.sampled_from(LABELS)
_contradictions = st.sampled_from(({"sharing": ""}, {"replicas": 4}, {"sharing": "none"}))
_missing = st.sampled_from(("product", "sharing", "memory"))
_often, _one_or_two = st.booleans(), st.sampled_from((1, 2))
_sometimes = st.sampled_from((False, False, True))
_rarely = st.sampled_from((*(False,) * 24, True))
"""One of 25: what is wrong should not hide what is right."""


@st.composite
def nodes(draw: st.DrawFn) -> Json:
    """A node in the short form of the cases; labels sometimes contradict or miss."""
    made = dict(draw(_kinds))
    made["product"] = draw(_products) + made.get("suffix", "")
    made["memory"] = draw(_memory)
    made["taints"] = draw(_taints)
    made["labels"] = draw(_labels)
    if draw(_often):
        made["mig"] = draw(_mig)
    if draw(_rarely):
        made |= draw(_contradictions)
        made.pop(draw(_missing), None)
    return {key: value for key, value in made.items() if key != "suffix"}


_clusters = st.lists(nodes(), min_size=1, max_size=6)


def clusters() -> st.SearchStrategy[list[Json]]:
    """Nodes as the API server shows them, with names of their own."""
    return _clusters.map(_named)


def _named(many: list[Json]) -> list[Json]:
    return [expand(f"node-{index}", short) for index, short in enumerate(many)]


@st.composite
def _alike(draw: st.DrawFn) -> list[Json]:
    """Nodes with equal GPUs, apart in labels and taints: only their order tells between them."""
    one = draw(nodes())
    return [one | {"labels": draw(_labels), "taints": draw(_taints)} for _ in range(3)]


@st.composite
def _few(draw: st.DrawFn) -> list[Json]:
    """Nodes with equal slices, of which only the later have the best for two containers."""
    profiles = draw(st.lists(st.sampled_from(PROFILES), min_size=2, max_size=3, unique=True))
    memory = {profile: draw(_memory) for profile in profiles}
    product = draw(_products)
    return [
        {
            **KINDS[1],
            "product": product,
            "mig": {each: {"count": count, "memory": memory[each]} for each in profiles},
        }
        for count in (1, 2, draw(_one_or_two))
    ]


def clusters_with_a_choice() -> st.SearchStrategy[list[Json]]:
    """Nodes of which several have what a plain pod may be given."""
    return (st.lists(nodes(), min_size=3, max_size=6) | _alike() | _few()).map(_named)


_expressions = st.fixed_dictionaries(
    {
        "key": st.sampled_from(("pool", "nvidia.com/gpu.product", "nvidia.com/gpu.memory", "none")),
        "operator": st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")),
        "values": st.lists(st.sampled_from(("a", "b", "10000", *PRODUCTS)), max_size=2),
    }
)
_fields = st.fixed_dictionaries(
    {
        "key": st.just("metadata.name"),
        "operator": st.sampled_from(("In", "NotIn")),
        "values": st.lists(st.sampled_from(("node-0", "node-1")), min_size=1, max_size=1),
    }
)
_terms = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "matchExpressions": st.lists(_expressions, max_size=2),
            "matchFields": st.lists(_fields, max_size=1),
        },
    ),
    min_size=1,
    max_size=2,
)
_required = "requiredDuringSchedulingIgnoredDuringExecution"
_WIDE = [
    {"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]},
    {"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["a"]}]},
]
"""Terms that every node meets, so that each of them has to be narrowed."""
_affinity = st.one_of(
    st.just({"nodeAffinity": {_required: {"nodeSelectorTerms": _WIDE}}}),
    st.just({}),
    st.just({"podAntiAffinity": {}}),
    st.just({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}),
    _terms.map(lambda terms: {"nodeAffinity": {_required: {"nodeSelectorTerms": terms}}}),
)
_env = st.lists(
    st.sampled_from(
        (
            {"name": "A", "value": "1"},
            {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
            {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"},
            {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        )
    ),
    max_size=2,
)


_numbers_of_gpus = st.sampled_from((1, 1, 1, 1, 1, 1, 1, 0))
_gpus, _others = st.sampled_from(GPUS), st.sampled_from(OTHERS)
_quantities, _bad_quantities = st.sampled_from(QUANTITIES), st.sampled_from(BAD_QUANTITIES)


@st.composite
def amounts(draw: st.DrawFn) -> Json:
    """Limits: mostly one kind of GPU, sometimes none, two, or a quantity that is none."""
    made: Json = {draw(_gpus): draw(_quantities) for _ in range(draw(_numbers_of_gpus))}
    if made and draw(_rarely):
        made[next(iter(made))] = draw(_bad_quantities)
    return made | {draw(_others): "1"}


_runs = st.sampled_from(
    (
        {},
        {},
        {},
        {"command": ["vllm", "serve", "a/Llama-3.1-8B"]},
        {"args": ["--model=x-70b"], "image": "vllm/vllm-openai:1"},
        {"env": [{"name": "MODEL_ID", "value": "x-1b-awq"}]},
        {"command": ["torchrun", "train.py"]},
    )
)
_names = st.sampled_from(("main", "side", "x" * 63))
_amounts = amounts()
_keys = st.sampled_from((("limits", "requests"), ("limits", "requests"), ("limits",)))
_odd_keys = st.sampled_from((("requests",), ()))


@st.composite
def containers(draw: st.DrawFn) -> Json:
    """A container; extended resources mostly with equal requests, as the API server has them."""
    made: Json = {"name": draw(_names), "image": "i"}
    if draw(_often):
        made["env"] = draw(_env)
    if draw(_often):
        made["restartPolicy"] = "Always"
    made |= draw(_runs)
    limits = draw(_amounts)
    keys = draw(_odd_keys if draw(_rarely) else _keys)
    made["resources"] = {key: dict(limits) for key in keys} or None
    return made


_pod_labels = st.fixed_dictionaries(
    {},
    optional={
        "gpu-sharing.io/workload": st.sampled_from(WORKLOADS),
        "gpu-sharing.io/strategy": st.just("forged"),
        "app": st.just("a"),
    },
)
_pod_annotations = st.fixed_dictionaries(
    {}, optional={"gpu-sharing.io/decision": st.sampled_from(FORGED), "other": st.just("~/a")}
)
_tenants = st.sampled_from(("blue", "green"))
_gpu_memory = st.sampled_from(("1Gi", "4Gi", "16Gi", "60Gi"))
_mig_profiles = st.sampled_from(("1g.10gb", "3g.40gb"))
_bad_labels, _bad_annotations = st.sampled_from(BAD_LABELS), st.sampled_from(BAD_ANNOTATIONS)
_containers = st.lists(containers(), min_size=1, max_size=3)
_optional = {
    "initContainers": st.lists(containers(), max_size=2),
    "nodeSelector": st.sampled_from(({}, {"pool": "a"}, {"nvidia.com/gpu.product": "Tesla-T4"})),
    "affinity": _affinity,
    "tolerations": st.sampled_from(
        (
            [],
            [{"operator": "Exists"}],
            [{"key": "a", "value": "b"}],
            [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        )
    ),
    "schedulerName": st.just("mine"),
    "runtimeClassName": st.just("gvisor"),
}


@st.composite
def pods(draw: st.DrawFn) -> Json:
    """A pod with fields of ours and of others in any state."""
    metadata: Json = {"generateName": "pod-"}
    labels, annotations = draw(_pod_labels), draw(_pod_annotations)
    if draw(_sometimes):
        labels["gpu-sharing.io/tenant"] = draw(_tenants)
    if draw(_sometimes):
        annotations["gpu-sharing.io/gpu-memory"] = draw(_gpu_memory)
    if draw(_rarely):
        annotations["gpu-sharing.io/mig-profile"] = draw(_mig_profiles)
    if draw(_rarely):
        annotations |= draw(_bad_annotations)
        labels |= draw(_bad_labels)
    for key, value in (("labels", labels), ("annotations", annotations)):
        if value or draw(_often):
            metadata[key] = value
    spec: Json = {"containers": draw(_containers)}
    for key, strategy in _optional.items():
        if draw(_sometimes):
            spec[key] = draw(strategy)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


namespaces = st.sampled_from(
    (
        {},
        {},
        {"gpu-sharing.io/tenant": "blue"},
        {"gpu-sharing.io/workload": "dev"},
        {"gpu-sharing.io/workload": "inference", "gpu-sharing.io/tenant": "green"},
    )
)

_SHARED = {"strategies": ["mig", "mps", "time-slicing"]}
_POLICIES = (
    {},
    {"tenantPools": "shared", "matrix": {"tenant": _SHARED}},
    {"tenantPools": "shared", "matrix": {"tenant": {"strategies": ["mps", "time-slicing"]}}},
    {"severalMigDevices": "allow", "matrix": {"dev": {"severalGpus": "share"}}},
    {
        "matrix": {
            "inference": {"memory": "8Gi"},
            "unclassified": {"strategies": ["exclusive", "mig"]},
        }
    },
    {"matrix": {"dev": {"strategies": [{"strategy": "time-slicing", "on": ["T4"]}, "mps"]}}},
)
policies = st.sampled_from(_POLICIES).map(lambda changes: parsed(json.dumps(HEAD | changes)))
