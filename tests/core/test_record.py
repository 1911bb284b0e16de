"""The decision record: every form that is written can be read again, and none is unbounded."""

import json
from typing import Any

import msgspec
import pytest

from webhook.core import pod_annotation, record
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Metadata, OwnerReference, Pod
from webhook.core.record_values import Cause, ContainerChange, DecisionRecord

SLICE = {"nvidia.com/mig-1g.5gb": 1}
CHANGE = ContainerChange("main", {"nvidia.com/gpu": 1}, SLICE, "mig", "mig_slice")
GIVEN = DecisionRecord("inference", "blue", "mig", reason="mig_slice", containers=(CHANGE,))
CAUSE = Cause("privileged", "main", "securityContext.privileged", "it is privileged; remove it")
REFUSED = DecisionRecord(
    workload="dev",
    allowed=False,
    reason="privileged",
    message='container "main": it is privileged; remove it [privileged]',
    containers=(ContainerChange("main", {"nvidia.com/gpu": 2}, {}),),
    violations=(CAUSE, Cause("host_path", "", "spec.volumes[0]", "no")),
    warnings=("one",),
)
OWNER = OwnerReference("Job", "train", "u", "batch/v1", controller=True)
REQUEST = AdmissionRequest(
    *(Side.MUTATE, Mode.ENFORCE, "uid", "CREATE", "shop"),
    user="jane",
    pod=Pod(Metadata(generate_name="train-", owner_references=(OWNER,))),
)


def many(count: int) -> DecisionRecord:
    """A record of so many containers and things that are wrong."""
    containers = tuple(msgspec.structs.replace(CHANGE, name=f"c{n}") for n in range(count))
    causes = tuple(Cause("privileged", f"c{n}", "spec", "x" * 300) for n in range(count))
    return DecisionRecord("dev", containers=containers, violations=causes)


def test_the_annotation_of_a_pod_has_the_keys_that_people_know_and_can_be_read() -> None:
    text = pod_annotation.write(GIVEN)
    assert json.loads(text) == {
        "workload": "inference",
        "tenant": "blue",
        "containers": [
            {
                "name": "main",
                "from": {"nvidia.com/gpu": 1},
                "to": SLICE,
                "strategy": "mig",
                "reason": "mig_slice",
            }
        ],
    }
    assert pod_annotation.read(text) == GIVEN


def test_containers_with_different_answers_are_mixed() -> None:
    other = ContainerChange("b", SLICE, SLICE, "mps", "mps_share")
    text = pod_annotation.write(DecisionRecord("dev", containers=(CHANGE, other)))
    found = pod_annotation.read(text)
    assert found is not None
    assert (found.strategy, found.reason) == ("mixed", "mixed")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "[" * 100_000,
        "\ud800",
        '{"workload":"dev","containers":[]}',
        pod_annotation.write(REFUSED),
        pod_annotation.write(GIVEN).replace("blue", "b" * 64),
        pod_annotation.write(GIVEN) + " " * record.MOST_READ,
    ],
    ids=range(9),
)
def test_what_the_webhook_could_not_have_written_tells_nothing(text: str | None) -> None:
    assert pod_annotation.read(text) is None


def test_the_requests_before_the_rewrite_do_not_make_another_annotation() -> None:
    again = msgspec.structs.replace(CHANGE, requested=SLICE)
    first, second = (
        pod_annotation.write(msgspec.structs.replace(GIVEN, containers=(change,)))
        for change in (CHANGE, again)
    )
    assert first != second
    assert pod_annotation.tells_the_same(first, second)
    assert not pod_annotation.tells_the_same(first, second.replace("mig_slice", "mixed"))
    assert not pod_annotation.tells_the_same(first.replace('"tenant"', '"x":1,"tenant"'), second)
    assert not pod_annotation.tells_the_same(None, second)


def test_a_second_run_adds_no_node_requirement_and_keeps_what_the_first_noted() -> None:
    first = pod_annotation.write(GIVEN, [("a", "In"), ("b", "Exists")])
    assert pod_annotation.affinity_of(first) == (("a", "In"), ("b", "Exists"))
    assert pod_annotation.tells_the_same(first, pod_annotation.write(GIVEN))
    assert not pod_annotation.tells_the_same(pod_annotation.write(GIVEN), first)


def test_node_requirements_without_end_leave_the_annotation_readable() -> None:
    text = pod_annotation.write(many(5000), [("k" * 300, "In")] * 5000)
    assert pod_annotation.affinity_of(text)[0] == ("k" * 300, "In")


@pytest.mark.parametrize("requested", [{"nvidia.com/gpu": 1}, SLICE, {"nvidia.com/gpu.shared": 1}])
def test_as_many_containers_are_written_whatever_was_requested(requested: dict[str, int]) -> None:
    containers = tuple(
        msgspec.structs.replace(each, requested=requested) for each in many(5000).containers
    )
    text = pod_annotation.write(DecisionRecord("dev", containers=containers))
    assert len(text) < record.MOST_READ
    assert len(json.loads(text)["containers"]) == len(
        json.loads(pod_annotation.write(many(5000)))["containers"]
    )


@pytest.mark.parametrize("told", [GIVEN, REFUSED])
def test_json_is_the_whole_record_but_its_message(told: DecisionRecord) -> None:
    read = record.from_json(record.to_json(told))
    assert read == msgspec.structs.replace(told, message=None)


@pytest.mark.parametrize("most", [record.MOST_READ, record.MOST_WARNED])
def test_json_of_very_much_is_the_first_of_it(most: int) -> None:
    text = record.to_json(many(5000), most)
    assert len(text.encode()) <= most
    found = record.from_json(text)
    assert found is not None
    assert found.containers[0].name == "c0"
    assert found.violations


@pytest.mark.parametrize("text", [None, "", "audit: would get mig (mig_slice)", "{", "[]", "{]"])
def test_another_text_is_no_record(text: str | None) -> None:
    assert record.from_json(text) is None


def test_the_causes_of_a_status_have_a_code_a_sentence_and_a_field() -> None:
    written = record.to_status_causes(record.shortened(REFUSED))
    assert written[0] == {
        "reason": "privileged",
        "message": 'container "main": it is privileged; remove it',
        "field": "securityContext.privileged",
    }
    read = record.from_status_causes(Status(**each) for each in written)
    assert [(c.reason, c.text, c.field) for c in read] == [
        (c.reason, c.text, c.field) for c in REFUSED.violations
    ]
    assert len(record.to_status_causes(record.shortened(many(5000)))) == 20


class Status(msgspec.Struct):
    """A cause as a client of the API server has it."""

    reason: str
    message: str
    field: str


@pytest.mark.parametrize("told", [GIVEN, REFUSED])
def test_a_line_of_the_log_is_read_as_it_was_written(told: DecisionRecord) -> None:
    line = {"event": "review", "timestamp": "2026-01-01T00:00:00Z", "level": "info"}
    line |= record.to_log_line(REQUEST, record.shortened(told))
    found = record.from_log_line(msgspec.json.encode(line))
    assert found is not None
    assert (found.owner_kind, found.owner, found.user) == ("Job", "train", "jane")
    assert (found.containers, found.violations) == (told.containers, told.violations)
    assert (found.allowed, found.reason, found.message) == (told.allowed, told.reason, told.message)


def test_the_audit_annotations_are_strings_without_what_is_absent() -> None:
    assert record.to_audit_annotations(REQUEST, GIVEN) == {
        "reason": "mig_slice",
        "mode": "enforce",
        "workload": "inference",
        "tenant": "blue",
        "strategy": "mig",
        "from": "main=nvidia.com/gpu:1",
        "to": "main=nvidia.com/mig-1g.5gb:1",
    }
    told: dict[str, Any] = record.to_audit_annotations(REQUEST, REFUSED)
    assert told["decision"] == REFUSED.message
    assert "to" not in told
