"""Which reviews are told as events, on what object, in which words."""

from typing import Any

import pytest
from msgspec.structs import replace

from webhook.core import event, record
from webhook.core.api import denials, node, reasons
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.containers import ContainerRef, Role
from webhook.core.api.node import Node
from webhook.core.api.pod import Metadata, OwnerReference, Pod
from webhook.core.decision.values import Allocation, GpuRequest
from webhook.core.event import Action, Event, Regarding
from webhook.core.gpu import reading
from webhook.core.gpu.values import Offer
from webhook.core.patch.operation import Op
from webhook.core.verdict import Verdict

SET = OwnerReference("ReplicaSet", "web-6d4", "u-1", "apps/v1", controller=True)
OTHER = OwnerReference("Widget", "w", "u-2", "example.com/v1")
POD = Pod(Metadata(generate_name="web-6d4-", owner_references=(OTHER, SET)))
CREATE = AdmissionRequest(Side.MUTATE, Mode.ENFORCE, "uid", "CREATE", "shop", pod=POD)
REFUSED = Verdict(allowed=False, reason=denials.NO_OFFER, message="no node offers it [no_offer]")
SLICES = Node(
    node.NodeMetadata("a100", {"nvidia.com/mig-1g.5gb.sharing-strategy": "none"}),
    status=node.NodeStatus({"nvidia.com/mig-1g.5gb": 1}),
)
(SLICE,) = reading.read_node(SLICES).offers


def given(container: str, offer: Offer = SLICE) -> Allocation:
    ask = GpuRequest(ContainerRef(Role.APP, 0, container), "nvidia.com/gpu", 1, "1")
    return Allocation(ask, offer, reasons.MIG_SLICE, ())


REWRITTEN = Verdict(
    allowed=True,
    reason=reasons.MIG_SLICE,
    allocations=(given("main"), given("side")),
    patch=(Op("add", "/metadata/labels", {}),),
)


@pytest.mark.parametrize(
    ("changed", "verdict", "told"),
    [
        ({}, REFUSED, Action.REFUSED),
        ({"side": Side.VALIDATE}, REFUSED, Action.REFUSED),
        ({"side": Side.VALIDATE, "operation": "UPDATE"}, REFUSED, Action.REFUSED),
        ({"dry_run": True}, REFUSED, None),
        ({"mode": Mode.AUDIT}, REFUSED, None),
        ({"namespace": ""}, REFUSED, None),
        ({}, REWRITTEN, Action.REWRITTEN),
        ({"dry_run": True}, REWRITTEN, None),
        ({"mode": Mode.AUDIT}, REWRITTEN, None),
        ({"side": Side.VALIDATE}, REWRITTEN, None),
        ({"operation": "UPDATE"}, REWRITTEN, None),
        ({}, replace(REWRITTEN, patch=()), None),
        ({}, replace(REWRITTEN, allocations=()), None),
        ({"pod": None}, Verdict(allowed=True, reason=reasons.NOT_REVIEWED), None),
    ],
)
def test_the_truth_table(changed: dict[str, Any], verdict: Verdict, told: Action | None) -> None:
    found = event.of(replace(CREATE, **changed), verdict)
    assert (found.action if found else None) == told


def test_a_refusal_warns_with_the_message_and_its_reason() -> None:
    regarding = Regarding("apps/v1", "ReplicaSet", "web-6d4", "u-1")
    found = event.of(CREATE, REFUSED)
    told = record.to_json(REFUSED.record)
    assert found == Event(
        "shop", regarding, Action.REFUSED, denials.NO_OFFER, REFUSED.message, told
    )
    assert (found.type, found.reason.code) == ("Warning", "no_offer")


def test_a_rewrite_says_what_became_of_each_ask() -> None:
    found = event.of(CREATE, REWRITTEN)
    assert found is not None
    assert (found.type, found.action, found.reason.code) == ("Normal", "Rewritten", "mig_slice")
    assert found.note == (
        "main: nvidia.com/gpu: 1 -> nvidia.com/mig-1g.5gb: 1 (mig); "
        "side: nvidia.com/gpu: 1 -> nvidia.com/mig-1g.5gb: 1 (mig)"
    )


@pytest.mark.parametrize(
    ("operation", "metadata", "regarding"),
    [
        ("CREATE", Metadata(owner_references=(OTHER, SET)), SET),
        ("CREATE", Metadata(owner_references=(OTHER,), name="a"), Regarding("v1", "Pod", "a")),
        ("CREATE", Metadata(generate_name="job-"), Regarding("v1", "Pod", "job")),
        (
            "CREATE",
            Metadata(generate_name="job-", name="job-x7z2k", uid="new"),
            Regarding("v1", "Pod", "job"),
        ),
        ("CREATE", Metadata(name="a", uid="new"), Regarding("v1", "Pod", "a")),
        ("CREATE", None, Regarding("v1", "Pod", "")),
        (
            "UPDATE",
            Metadata(generate_name="web-", name="web-x7z2k", uid="u", owner_references=(SET,)),
            Regarding("v1", "Pod", "web-x7z2k", "u"),
        ),
    ],
)
def test_the_object_is_one_that_people_can_look_at(
    operation: str, metadata: Metadata | None, regarding: Regarding | OwnerReference
) -> None:
    asked = replace(CREATE, operation=operation, pod=Pod(metadata))
    found = event.of(asked, REFUSED)
    assert found is not None
    if isinstance(regarding, OwnerReference):
        regarding = Regarding("apps/v1", "ReplicaSet", "web-6d4", "u-1")
    assert found.regarding == regarding


def test_equal_causes_make_equal_events_whatever_the_pods_are_called() -> None:
    pods = [Pod(replaced(POD, name=name, uid=name)) for name in ("web-6d4-a", "web-6d4-b")]
    first, second = (event.of(replace(CREATE, pod=pod), REFUSED) for pod in pods)
    assert first == second
    assert hash(first) == hash(second)


def replaced(pod: Pod, **changes: Any) -> Metadata:
    assert pod.metadata is not None
    kept = {name: getattr(pod.metadata, name) for name in pod.metadata.__struct_fields__}
    return Metadata(**{**kept, **changes})


@pytest.mark.parametrize("character", ["x", "é", "🦀"])
def test_a_long_message_is_cut_within_what_kubernetes_takes(character: str) -> None:
    found = event.of(CREATE, replace(REFUSED, message=character * 2000))
    assert found is not None
    assert 1020 <= len(found.note.encode()) <= event.NOTE_LIMIT
    assert found.note.rstrip("…").strip(character) == ""


def test_names_that_no_object_has_take_no_memory() -> None:
    long = OwnerReference("K" * 9999, "n" * 9999, "u" * 9999, "v" * 9999, controller=True)
    found = event.of(replace(CREATE, pod=Pod(Metadata(owner_references=(long,)))), REFUSED)
    assert found is not None
    assert found.regarding == Regarding("v" * 253, "K" * 253, "n" * 253, "u" * 253)
