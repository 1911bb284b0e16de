"""What is kept of the nodes that a pod selects serves pods that select the same, and no others."""

import itertools
from collections.abc import Iterator
from functools import partial

import pytest
from test_hostile import calls_of

from bench.nodes import SPECS, review
from tests.core import large_cluster
from webhook.cli.loaders import load_policy
from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest

DEDICATED = {"taints": [{"key": "team", "value": "a", "effect": "NoSchedule"}]}
MOST_SELECTION = 4096


def reviews() -> Iterator[AdmissionRequest]:
    """Yield pods of each selection, of which each tolerates another taint."""
    named = {"nodeName": "node-1"}, {"nodeName": "away"}, {"nodeSelector": {"pool": "other"}}
    specs = [each for each in (*SPECS.values(), *named) if len(str(each)) < MOST_SELECTION]
    for spec, tolerated in itertools.product(specs, ("a", "team", "b")):
        yield review(spec, tolerated)


def test_the_answer_is_that_on_a_fresh_snapshot() -> None:
    policy, shared = load_policy(None), large_cluster.inventory(12, 12, DEDICATED)
    for each in (*reviews(), *reviews()):
        fresh = large_cluster.inventory(12, 12, DEDICATED)
        assert admit(each, policy, shared) == admit(each, policy, fresh)


def test_a_long_selection_is_not_kept() -> None:
    policy, nodes = load_policy(None), large_cluster.inventory(5, 5)
    admit(review(SPECS["1,900 by name"], "a"), policy, nodes)
    said = (key[0] for key in nodes.kept if isinstance(key, tuple))
    assert all(len(each) <= MOST_SELECTION for each in said if isinstance(each, bytes))


@pytest.mark.parametrize("what", ["refused, nodeSelector", "refused, affinity"])
def test_a_refusal_looks_little_at_each_of_many_groups(what: str) -> None:
    policy, calls = load_policy(None), {}
    for kinds in (5, 40):
        nodes = large_cluster.inventory(40, kinds)
        admit(review(SPECS[what], "a"), policy, nodes)
        calls[kinds] = calls_of(partial(admit, review(SPECS[what], "b"), policy, nodes))
    assert calls[40] - calls[5] < 3 * (40 - 5), calls


def test_a_name_that_no_node_has_is_refused_without_a_look_at_each() -> None:
    policy, nodes = load_policy(None), large_cluster.inventory(3000, 3)
    calls = []
    for name in ("x", "y"):
        spec = {"nodeSelector": {"kubernetes.io/hostname": name}}
        calls.append(calls_of(partial(admit, review(spec, "a"), policy, nodes)))
    assert calls[1] < 2000, calls
