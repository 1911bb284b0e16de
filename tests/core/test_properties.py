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
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict

Json = dict[str, Any]
OURS = "gpu-sharing.io/"
HOSTNAME = "kubernetes.io/hostname"  # pods are kept off nodes that contradict themselves


@examples(400)
@everything
def test_what_holds_of_any_pod(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    """One test for all: most of the time of each goes into making the pod and the nodes."""
    offers, before = world(nodes, policy), copy.deepcopy(pod)
    verdict = admit(ask(pod, namespace), policy, offers)
    assert pod == before
    event(verdict.reason.code)
    after = patched(pod, verdict)
    no_field_that_is_not_ours_changes(pod, after)
    every_ask_has_a_reachable_offer_and_tenants_stay_apart(after, verdict, policy, offers)
    if verdict.allowed:
        a_second_run_changes_nothing_and_it_is_safe(after, namespace, verdict, policy, offers)
    else:
        assert verdict.patch == ()
        assert verdict.message
    reordered = world(nodes[::-1], policy)
    assert admit(ask(pod, namespace), policy, reordered) == verdict, "the order of nodes matters"


def a_second_run_changes_nothing_and_it_is_safe(
    after: Json, namespace: dict[str, str], first: Verdict, policy: Policy, offers: Inventory
) -> None:
    second = admit(ask(after, namespace), policy, offers)
    assert second.allowed, second.message
    assert json.loads(msgspec.json.encode(second.patch)) == []
    assert (second.reason, second.strategy) == (first.reason, first.strategy)
    checked = admit(ask(after, namespace, Side.VALIDATE), policy, offers)
    reasons = {violation.reason.code for violation in checked.violations}
    # as the pods had them from the start
    ways_around = {"gpu_visibility", "tolerations", "foreign_resources"}
    assert reasons <= (ways_around if first.allocations else ways_around | {"reserved_names"})


def every_ask_has_a_reachable_offer_and_tenants_stay_apart(
    made: Json, verdict: Verdict, policy: Policy, offers: Inventory
) -> None:
    after = msgspec.convert(made, Pod)
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


def no_field_that_is_not_ours_changes(pod: Json, after: Json) -> None:
    assert _stripped(after) == _stripped(pod)


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
