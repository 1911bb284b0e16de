"""Selectors, affinity and taints mean what they mean to the scheduler."""

from dataclasses import replace
from typing import Any

import large_cluster
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook.core.api.node import Taint
from webhook.core.api.pod import Pod, Requirement, Toleration
from webhook.core.gpu import placement, reach
from webhook.core.gpu.values import NodeGroup, NodeLabels, NodeRequirement

NODE = NodeLabels("n1", {"a": "1", "b": "x"})


@pytest.mark.parametrize(
    ("key", "operator", "values", "holds"),
    [
        ("a", "In", ("1", "2"), True),
        ("a", "In", ("2",), False),
        ("c", "In", ("1",), False),
        ("a", "NotIn", ("1",), False),
        ("c", "NotIn", ("1",), True),
        ("a", "Exists", (), True),
        ("c", "Exists", (), False),
        ("a", "DoesNotExist", (), False),
        ("c", "DoesNotExist", (), True),
        ("a", "Gt", ("0",), True),
        ("a", "Gt", ("1",), False),
        ("a", "Lt", ("2",), True),
        ("b", "Gt", ("0",), False),
        ("c", "Lt", ("2",), False),
        ("a", "Gt", ("0", "0"), False),
        ("a", "Gt", ("zero",), False),
        ("a", "Like", ("1",), False),
    ],
)
def test_the_six_operators(
    key: str, operator: str, values: tuple[str, ...], *, holds: bool
) -> None:
    assert placement.requirement_holds(NodeRequirement(key, operator, values), NODE.labels) is holds


def pod(spec: dict[str, Any]) -> Pod:
    return msgspec.convert({"spec": spec}, Pod)


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    node = {"requiredDuringSchedulingIgnoredDuringExecution": required}
    return {"affinity": {"nodeAffinity": node}}


A_IS_1 = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}
A_IS_2 = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["2"]}]}
NAMED = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}


@pytest.mark.parametrize(
    ("spec", "selected"),
    [
        ({}, True),
        ({"nodeSelector": {"a": "1"}}, True),
        ({"nodeSelector": {"a": "1", "b": "y"}}, False),
        (affinity(A_IS_1), True),
        (affinity(A_IS_2), False),
        (affinity(A_IS_2, A_IS_1), True),
        (affinity(NAMED), True),
        (affinity({**NAMED, **A_IS_2}), False),
        (affinity({}), False),
        (affinity(), False),
        ({"nodeSelector": {"a": "2"}, **affinity(A_IS_1)}, False),
    ],
    ids=str,
)
def test_selector_and_terms(spec: dict[str, Any], *, selected: bool) -> None:
    assert placement.selects_node(pod(spec), NODE) is selected


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        (Toleration(operator="Exists"), True),
        (Toleration(key="k", operator="Exists"), True),
        (Toleration(key="k", operator="Exists", effect="NoExecute"), False),
        (Toleration(key="k", value="v"), True),
        (Toleration(key="k", operator="Equal", value="w"), False),
        (Toleration(key="k", value="v", effect="NoSchedule"), True),
        (Toleration(key="other", operator="Exists"), False),
        (Toleration(operator="Equal"), False),
    ],
    ids=str,
)
def test_tolerations(toleration: Toleration, *, tolerated: bool) -> None:
    assert placement.tolerates([toleration], Taint("k", "NoSchedule", "v")) is tolerated


def test_momentary_taints_and_preferences_do_not_repel() -> None:
    taints = [
        Taint("node.kubernetes.io/unschedulable", "NoSchedule"),
        Taint("node.cilium.io/agent-not-ready", "NoExecute"),
        Taint("soft", "PreferNoSchedule"),
        Taint("hard", "NoExecute"),
    ]
    momentary = ("node.kubernetes.io/", "*/agent-not-ready")
    assert placement.lasting_taints(taints, momentary) == (Taint("hard", "NoExecute"),)
    assert len(placement.lasting_taints(taints, ())) == 3


SPREAD = large_cluster.inventory(count=90, kinds=9)
_KEYS = ("kubernetes.io/hostname", "nvidia.com/gpu.product", "nvidia.com/gpu.memory", "absent")
_VALUES = st.sampled_from(("node-7", "node-80", "NVIDIA-A100-SXM4-40GB", "81920", "x"))
_REQUIREMENTS = st.fixed_dictionaries(
    {
        "key": st.sampled_from(_KEYS),
        "operator": st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")),
        "values": st.lists(_VALUES, max_size=2),
    }
)
_TERMS = st.lists(
    st.fixed_dictionaries({"matchExpressions": st.lists(_REQUIREMENTS, max_size=3)}), max_size=2
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(selector=st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=2), terms=_TERMS)
def test_distinct_nodes_are_reached_as_all_nodes_are(selector, terms):
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    affinity = {"affinity": {"nodeAffinity": required}} if terms else {}
    pod = msgspec.convert({"spec": {"nodeSelector": selector, **affinity}}, Pod)
    for group in SPREAD.groups:
        reached = any(placement.selects_node(pod, each) for each in group.nodes)
        assert reach.reach_of(pod, frozenset(t.key for t in group.taints))(group) is reached
        assert len(group.distinct) <= reach.MOST_KEPT


def test_equal_labels_are_looked_at_once():
    [group, *_] = SPREAD.groups
    assert len(reach.distinct_nodes(group, frozenset({"absent"}))) == 1
    assert reach.distinct_nodes(group, None) == group.nodes


def test_a_named_node_is_found_without_a_look_at_the_others() -> None:
    [group, *_] = large_cluster.inventory(count=50, kinds=1).groups
    name = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-7", "absent"]}
    field = {"key": "metadata.name", "operator": "In", "values": ["node-7"]}
    for term in ({"matchExpressions": [name]}, {"matchFields": [field]}):
        required = {"nodeSelectorTerms": [term]}
        made = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        pod = msgspec.convert({"spec": {"affinity": {"nodeAffinity": made}}}, Pod)
        found = reach.reach_of(pod, frozenset(t.key for t in group.taints))
        assert found(group)
        assert reach.nodes_having(group, found.asked[0])[0].name == "node-7"
        assert group.distinct == {}


GPU_TAINTS = frozenset({"nvidia.com/gpu"})
HOST, RACK = "example.com/host", "example.com/rack"


def with_hosts(count: int) -> NodeGroup:
    """A group whose nodes each have a label of their own."""
    [group, *_] = large_cluster.inventory(count, kinds=1).groups
    labels = ({HOST: f"h{number}", RACK: f"r{number % 3}"} for number in range(count))
    named = (NodeLabels(each.name, more) for each, more in zip(group.nodes, labels, strict=True))
    return replace(group, nodes=tuple(named))


@pytest.mark.parametrize("selector", [{HOST: "h7"}, {RACK: "r1", HOST: "h7"}, {HOST: "none"}])
def test_a_label_that_differs_on_each_node_is_found_by_its_value(selector: dict[str, str]) -> None:
    group = with_hosts(50)
    found = reach.reach_of(msgspec.convert({"spec": {"nodeSelector": selector}}, Pod), GPU_TAINTS)
    assert found(group) is (selector[HOST] == "h7")
    assert len(found.selected) <= 1


def test_a_value_that_is_written_again_and_again_finds_each_node_once() -> None:
    """Listed 1,800 times, a value that all of 5,000 nodes have took 0.1 s."""
    group, often = with_hosts(50), Requirement(RACK, "In", ("r1", "r2") * 900)
    found = reach.nodes_having(group, (often,))
    names = {each.name for each in found}
    assert len(found) == len(names) == sum(each.labels[RACK] != "r0" for each in group.nodes)


def test_few_distinct_nodes_are_looked_at_and_few_labels_indexed() -> None:
    group = with_hosts(50)
    for number in range(2 * reach.MOST_INDEXED):
        selector = {HOST: "h7", f"absent-{number}": "x"}
        for asked in (selector, {RACK: "r1"}):
            pod = msgspec.convert({"spec": {"nodeSelector": asked}}, Pod)
            reach.reach_of(pod, GPU_TAINTS)(group)
        assert RACK not in group.by_label
        assert len(group.by_label) <= reach.MOST_INDEXED


def test_terms_of_many_labels_are_not_found_by_value() -> None:
    def asked(count: int) -> object:
        keys = ({"key": f"k{number}", "operator": "In", "values": ["v"]} for number in range(count))
        return reach.asked_values(pod(affinity(*({"matchExpressions": [each]} for each in keys))))

    assert asked(reach.MOST_INDEXED)
    assert asked(reach.MOST_INDEXED + 1) is None
