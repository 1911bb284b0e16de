"""What must hold of any pod in any cluster."""

import copy
import json
from typing import Any

import msgspec
import strategies
from hypothesis import event
from worlds import ask, everything, examples, patched, world

from webhook.core.admit import admit
from webhook.core.api.admission import Side
from webhook.core.api.pod import Pod
from webhook.core.gpu import placement, reach
from webhook.core.gpu.strategies import Strategy
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict

Json = dict[str, Any]
OURS = "gpu-sharing.io/"
HOSTNAME = "kubernetes.io/hostname"  # pods are kept off nodes that contradict themselves
many = examples(400)


@many
@everything
def test_a_second_run_changes_nothing_and_the_result_is_safe(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    offers = world(nodes, policy)
    first = admit(ask(pod, namespace), policy, offers)
    event(first.reason.code)
    if not first.allowed:
        assert first.patch == ()
        assert first.message
        return
    after = patched(pod, first)

    second = admit(ask(after, namespace), policy, offers)

    assert second.allowed, second.message
    assert json.loads(msgspec.json.encode(second.patch)) == []
    assert (second.reason, second.strategy) == (first.reason, first.strategy)
    checked = admit(ask(after, namespace, Side.VALIDATE), policy, offers)
    reasons = {violation.reason.code for violation in checked.violations}
    # as the pods had them from the start
    ways_around = {"gpu_visibility", "tolerations", "foreign_resources"}
    assert reasons <= (ways_around if first.allocations else ways_around | {"reserved_names"})


@many
@everything
def test_every_ask_has_a_reachable_offer_and_tenants_stay_apart(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    offers = world(nodes, policy)
    verdict = admit(ask(pod, namespace), policy, offers)
    after = msgspec.convert(patched(pod, verdict), Pod)
    reachable = [s for s in offers.groups if reach.reach_of(after, policy.gpu_taints)(s)]
    for given_ in verdict.allocations:
        names = {offer.resource for shape in reachable for offer in shape.offers}
        assert given_.offer.resource in names
        for bad in offers.barred.get(given_.offer.resource, ()):
            assert not placement.selects_node(after, bad), "a node that contradicts itself"
        tenant = verdict.tenant is not None or verdict.workload == "tenant"
        for shape in reachable:
            for offer in shape.offers:
                if offer.resource == given_.offer.resource:
                    _may_land(offer.strategy, shape.tenant, verdict, tenant=tenant)
                    assert verdict.workload != "training" or offer.strategy == "exclusive"


def _may_land(strategy: Strategy, pool: str | None, verdict: Verdict, *, tenant: bool) -> None:
    """On every node that the pins leave, not only on the chosen one."""
    assert pool is None or pool == verdict.tenant
    if tenant and pool is None:
        assert strategy.traits.isolated


@many
@everything
def test_no_field_that_is_not_ours_changes(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    before = copy.deepcopy(pod)
    verdict = admit(ask(pod, namespace), policy, world(nodes, policy))
    assert pod == before
    assert _stripped(patched(pod, verdict)) == _stripped(pod)


def _stripped(pod: Json) -> Json:
    """The pod without what the webhook may write."""
    made = copy.deepcopy(pod)
    for key in ("labels", "annotations"):
        entries = made["metadata"].get(key) or {}
        made["metadata"][key] = {k: v for k, v in entries.items() if not k.startswith(OURS)}
    spec = made["spec"]
    spec["tolerations"] = [
        t for t in spec.get("tolerations", []) if t.get("key") != "nvidia.com/gpu"
    ]
    for container in (*spec["containers"], *spec.get("initContainers", [])):
        variables = ("NVIDIA_VISIBLE_DEVICES", "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT")
        container["env"] = [e for e in container.get("env", []) if e["name"] not in variables]
        for values in (container.get("resources") or {}).values():
            for key in [k for k in values if k.startswith(("nvidia.com/gpu", "nvidia.com/mig"))]:
                if key != "nvidia.com/gpumem":
                    del values[key]
    affinity = spec.get("affinity") or {}
    node = affinity.get("nodeAffinity") or {}
    terms = (node.get(strategies._required) or {}).pop("nodeSelectorTerms", [])
    kept = [_kept(term) for term in terms]
    spec["affinity"] = {k: v for k, v in affinity.items() if k != "nodeAffinity"}
    return {"pod": made, "terms": [term for term in kept if term]}


def _kept(term: Json) -> Json:
    """A term without expressions on the labels that pins are about."""
    expressions = [
        each
        for each in term.get("matchExpressions") or []
        if not each["key"].startswith(("nvidia.com/", OURS)) and each["key"] != HOSTNAME
    ]
    fields = term.get("matchFields") or []
    return {k: v for k, v in (("e", expressions), ("f", fields)) if v}


@many
@everything
def test_the_order_of_nodes_does_not_matter(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    one = admit(ask(pod, namespace), policy, world(nodes, policy))
    other = admit(ask(pod, namespace), policy, world(nodes[::-1], policy))
    assert one == other
