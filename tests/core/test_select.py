"""The selection by ranks is the one that a look at every group gives, and keeps little."""

from typing import Any

import casefiles
import large_cluster
import strategies
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from worlds import ask, examples, world

from webhook.core.decision import allowed, select
from webhook.core.decision.classify import classify
from webhook.core.decision.fill import fill_node
from webhook.core.decision.values import Candidate, Search
from webhook.core.gpu.reach import reach_of
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy

Json = dict[str, Any]
GPU: Json = {"name": "a", "resources": {"limits": {"nvidia.com/gpu": "1"}}}


def search_of(
    pod: Json, namespace: dict[str, str], policy: Policy, offers: Inventory
) -> tuple[tuple[Candidate, ...], Search]:
    """The candidates of a pod, and where they are searched."""
    request = ask(pod, namespace)
    assert request.pod is not None
    question = classify(request.pod, namespace, policy)
    found = allowed.find_candidates(question, policy)
    candidates = tuple(each for each in found if isinstance(each, Candidate))
    return candidates, Search(question, policy, offers, reach_of(request.pod, policy.gpu_taints))


def _pod(counts: list[int]) -> Json:
    containers = [
        {"name": f"c{index}", "resources": {"limits": {"nvidia.com/gpu": str(count)}}}
        for index, count in enumerate(counts)
    ]
    return {"spec": {"containers": containers, "tolerations": [{"operator": "Exists"}]}}


@examples(150)
@given(  # plain pods on many nodes: of those that are drawn for `everything` few have a choice
    pod=st.lists(st.sampled_from((1, 1, 2)), min_size=1, max_size=3).map(_pod),
    nodes=strategies.clusters_with_a_choice(),
    namespace=st.sampled_from(("inference", "dev")).map(lambda w: {"gpu-sharing.io/workload": w}),
    policy=strategies.policies,
)
def test_the_best_of_all_groups_is_selected(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    offers = world(nodes, policy)
    candidates, search = search_of(pod, namespace, policy, offers)
    if not candidates:
        return
    filled = []
    for place, group in enumerate(offers.groups):
        options = select._options(candidates, group, search)
        taken = fill_node(candidates, options) if search.reaches(group) else None
        if taken is not None:
            filled.append(([each[0] for each in taken], place, [each[1] for each in taken]))
    for _ in range(2):  # found, then kept
        selected = select.select_offers(candidates, search)
        if not filled:
            assert selected == ()
            continue
        _, place, wanted = min(filled, key=lambda each: each[:2])
        assert [each.offer for each in selected] == wanted
        assert all(each.group is offers.groups[place] for each in selected)


def test_what_is_kept_of_a_snapshot_is_bounded() -> None:
    offers, policy = large_cluster.inventory(5, 5), casefiles.rules({})
    candidates, search = search_of({"spec": {"containers": [GPU]}}, {}, policy, offers)
    for memory in range(1000):
        constraints = replace(search.question.constraints, memory=memory)
        asked = replace(search, question=replace(search.question, constraints=constraints))
        select.select_offers(candidates, asked)
        assert len(offers.kept) <= select._MOST_KEPT
    many = [GPU | {"name": str(number)} for number in range(select._MOST_CANDIDATES + 1)]
    offers.kept.clear()
    select.select_offers(*search_of({"spec": {"containers": many}}, {}, policy, offers))
    assert not offers.kept
