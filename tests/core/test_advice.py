"""What whoever applies a workload is told of its pods: short, once, and never in the way."""

import copy
from typing import Any

import pytest
from casefiles import DEFAULT_POLICY, cluster

from webhook.core import advice
from webhook.core.advice import Advice, AdviceOutcome
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.policy import load as policy_file

Json = dict[str, Any]
NODES = ("a100-80-whole", "a100-40-mixed", "t4-slicing-renamed", "t4-mps")
POLICY = policy_file.parse_policy(DEFAULT_POLICY, DEFAULT_POLICY)


def asked(mode: Mode = Mode.ENFORCE, **namespace: str) -> AdmissionRequest:
    return AdmissionRequest(
        side=Side.MUTATE,
        mode=mode,
        uid="u",
        operation="CREATE",
        namespace="team",
        user="jane",
        namespace_labels={f"gpu-sharing.io/{key}": value for key, value in namespace.items()},
    )


def spec(resource: str = "nvidia.com/gpu", count: int = 1, **more: Any) -> Json:
    return {"containers": [{"name": "main", "resources": {"limits": {resource: count}}, **more}]}


def template(workload: str | None, **more: Any) -> Json:
    labels = {"gpu-sharing.io/workload": workload} if workload else {}
    return {"metadata": {"labels": labels}, "spec": spec(**more)}


def workload(kind: str, made: Any, **metadata: Any) -> Json:
    inside = {"template": made}
    if kind == "CronJob":
        inside = {"jobTemplate": {"spec": inside}}
    return {"kind": kind, "metadata": {"name": "it", **metadata}, "spec": inside}


def advised(subject: Json, request: AdmissionRequest | None = None, nodes: Any = NODES) -> Advice:
    return advice.advise(request or asked(), subject, POLICY, cluster({"nodes": nodes}))


def first(subject: Json, request: AdmissionRequest | None = None, nodes: Any = NODES) -> str:
    return next(iter(advised(subject, request, nodes).warnings), "")


PRIVILEGED = {"securityContext": {"privileged": True}}
TOLD = {
    "a-slice": (
        workload("Deployment", template("inference")),
        "pods of this Deployment will get nvidia.com/mig-1g.5gb (mig), not nvidia.com/gpu "
        "[mig_slice]",
    ),
    "a-share": (
        workload("StatefulSet", template("dev")),
        "pods of this StatefulSet will get nvidia.com/gpu.shared (time-slicing), not "
        "nvidia.com/gpu [time_sliced_share]",
    ),
    "a-cron-job": (
        workload("CronJob", template("dev")),
        "pods of this CronJob will get nvidia.com/gpu.shared (time-slicing), not "
        "nvidia.com/gpu [time_sliced_share]",
    ),
    "a-refusal": (
        workload("Job", template("dev", count=2)),
        'pods of this Job would be refused: container "main": nvidia.com/gpu: 2 requested, the '
        "policy gives workload dev 1 in a container; write 1, or ask an administrator to allow "
        "whole GPUs (policy: matrix.dev.severalGpus: exclusive) [several_gpus_not_allowed]",
    ),
    "a-way-around": (
        workload("DaemonSet", template("dev", **PRIVILEGED)),
        'pods of this DaemonSet would be refused: container "main": privileged sees every GPU of '
        "the node; remove securityContext.privileged [privileged]",
    ),
    "a-way-around-without-a-gpu": (
        workload("Deployment", template("dev", resource="cpu", **PRIVILEGED)),
        'pods of this Deployment would be refused: container "main": privileged sees every GPU of '
        "the node; remove securityContext.privileged [privileged]",
    ),
    "a-custom-resource": (
        {"kind": "RayCluster", "spec": {"workers": [{"template": template("dev", count=2)}]}},
        "pods of this RayCluster (spec.workers[0].template) would be refused: container "
        '"main": nvidia.com/gpu: 2 requested, the policy gives workload dev 1 in a container; '
        "write 1, or ask an administrator to allow whole GPUs (policy: ... "
        "[several_gpus_not_allowed]",
    ),
    "a-warning-of-the-verdict": (
        workload("Deployment", template(None)),
        "whole GPUs, since nothing says what this is for; label gpu-sharing.io/workload: "
        "training|inference|dev|tenant",
    ),
    "a-wrong-type": (
        workload("Deployment", {"spec": {"containers": "none"}}),
        "pods of this Deployment cannot be read: expected `array | null`, got `str` - at "
        "`spec.template.spec.containers`",
    ),
    "no-template-at-all": (
        workload("Job", [1]),
        "pods of this Job cannot be read: expected `object`, got `array` - at `spec.template.spec`",
    ),
    "whole-gpus-as-asked": (workload("Deployment", template("training", count=4)), ""),
    "no-gpu": (workload("Deployment", template("dev", resource="cpu")), ""),
    "a-slice-as-asked": (
        workload(
            "Deployment",
            {
                "metadata": {
                    "labels": {"gpu-sharing.io/workload": "inference"},
                    "annotations": {"gpu-sharing.io/gpu-memory": "4Gi"},
                },
                "spec": spec("nvidia.com/mig-1g.5gb"),
            },
        ),
        "",
    ),
    "no-pods": ({"kind": "ConfigMap", "data": {"a": "b"}}, ""),
    "nothing": ({}, ""),
    "a-pod": ({"kind": "Pod", **template("dev", count=2)}, ""),
    "made-by-a-controller": (
        workload(
            "Deployment",
            template("dev", count=2),
            ownerReferences=[{"kind": "InferenceService", "name": "x", "controller": True}],
        ),
        "",
    ),
    "owned-by-no-controller": (
        workload("Deployment", template("inference"), ownerReferences=[{"kind": "App"}]),
        "pods of this Deployment will get nvidia.com/mig-1g.5gb (mig), not nvidia.com/gpu "
        "[mig_slice]",
    ),
    "odd-owners": (
        workload("Deployment", template("inference"), ownerReferences={"controller": True}),
        "pods of this Deployment will get nvidia.com/mig-1g.5gb (mig), not nvidia.com/gpu "
        "[mig_slice]",
    ),
}


@pytest.mark.parametrize(("subject", "told"), TOLD.values(), ids=TOLD)
def test_what_is_told_first(subject: Json, told: str) -> None:
    before = copy.deepcopy(subject)
    assert first(subject) == told
    assert subject == before


def test_the_name_may_stay_and_the_gpu_still_be_a_share() -> None:
    told = first(workload("Deployment", template("dev")), nodes=["t4-slicing"])
    assert told == (
        "pods of this Deployment will get nvidia.com/gpu (time-slicing), not a whole GPU "
        "[time_sliced_share]"
    )


def test_several_kinds_are_named_in_one_line() -> None:
    made = template("inference")
    made["spec"]["containers"] += spec("nvidia.com/gpu", 2)["containers"]
    made["spec"]["containers"][1]["name"] = "more"
    found = advised(workload("Deployment", made), nodes=["h100-partly-mixed"])
    assert found.outcome is AdviceOutcome.CHANGED
    assert found.warnings[0].endswith("not nvidia.com/gpu [mixed]")


def test_an_audit_is_told_what_enforcement_would_do_also_of_ways_around() -> None:
    slice_, refused = template("inference"), template("dev", **PRIVILEGED)
    assert first(workload("Deployment", slice_), asked(Mode.AUDIT)) == (
        "audit: pods of this Deployment would get nvidia.com/mig-1g.5gb (mig), not nvidia.com/gpu "
        "[mig_slice]"
    )
    found = advised(workload("Deployment", refused), asked(Mode.AUDIT))
    assert found.warnings[0].startswith("audit: pods of this Deployment would be refused: ")
    assert found.outcome is AdviceOutcome.REFUSED


def test_the_labels_of_the_namespace_count() -> None:
    made = workload("Deployment", template(None, resource="nvidia.com/gpu.shared"))
    assert first(made, asked(tenant="blue")).endswith("[tenant_needs_isolation]")
    assert advised(made, asked(workload="dev")).outcome is AdviceOutcome.FINE


def test_the_exemption_of_whoever_applies_it_does_not_pass_on_to_the_pods() -> None:
    head = "apiVersion: gpu-sharing.io/v1\nkind: Policy\nexemptUsers: [jane]\n"
    rules = policy_file.parse_policy(head, DEFAULT_POLICY)
    made = workload("Deployment", template("dev", count=2))
    found = advice.advise(asked(), made, rules, cluster({"nodes": NODES}))
    assert found.outcome is AdviceOutcome.REFUSED


def test_refusals_come_first_and_nothing_is_told_twice() -> None:
    groups = [template("inference"), template("inference"), template("dev", count=2)]
    found = advised({"kind": "RayCluster", "spec": {"groups": [{"template": g} for g in groups]}})
    assert found.outcome is AdviceOutcome.REFUSED
    paths = [text.partition("(")[2].partition(")")[0] for text in found.warnings]
    assert [path for path in paths if path] == [f"spec.groups[{i}].template" for i in (2, 0, 1)]
    assert len(found.warnings) == 4  # the size of the slice is told once
    assert [str(reason) for reason in found.reasons] == ["several_gpus_not_allowed", "mig_slice"]


def test_of_a_great_many_warnings_the_first_are_told_and_how_many_more() -> None:
    groups = [{"template": template("dev", count=2)}] * 30
    found = advised({"kind": "RayCluster", "spec": {"groups": groups}})
    assert len(found.warnings) == 11
    assert found.warnings[-1] == "and 20 more warnings"


def test_a_long_refusal_keeps_its_code() -> None:
    made = template("inference", resource="nvidia.com/gpu.shared")
    made["spec"]["nodeSelector"] = {"a" * 63: "b" * 63}
    found = advised({"kind": "K" * 300, "spec": {"p" * 300: {"template": made}}})
    assert found.warnings
    assert all(len(text) <= 256 for text in found.warnings)
    assert found.warnings[0].endswith(f"[{found.reasons[0]}]")


def test_an_object_too_large_to_review_says_where_that_begins() -> None:
    heavy = template("dev")
    heavy["spec"]["containers"] += [{"name": "idle"}] * 10_000
    found = advised({"kind": "Odd", "spec": {"a": {"template": template("dev")}, "b": heavy}})
    assert found.outcome is AdviceOutcome.CHANGED
    assert found.warnings[-1] == "this Odd is too large: its pods from spec.b on were not reviewed"


def test_depth_is_no_trouble() -> None:
    deep: Any = {}
    for _ in range(4000):
        deep = {"x": deep}
    made = template("dev")
    made["spec"]["dnsConfig"] = deep
    found = advised({"kind": "Odd", "spec": {"template": made, "beside": deep}})
    assert found.outcome is AdviceOutcome.CHANGED


def test_paths_of_the_policy_count_instead_of_the_search() -> None:
    rules = policy_file.parse_policy(
        "apiVersion: gpu-sharing.io/v1\nkind: Policy\npodTemplates:\n"
        "- kind: Engine\n  path: spec.engine\n",
        DEFAULT_POLICY,
    )
    subject = {
        "kind": "Engine",
        "spec": {
            "engine": {"resources": {"limits": {"nvidia.com/gpu": 1}}, "labels": {}},
            "else": {"template": template("dev", count=2)},
        },
    }
    found = advice.advise(asked(workload="dev"), subject, rules, cluster({"nodes": NODES}))
    assert found.warnings[0].startswith("pods of this Engine (spec.engine) will get ")
