"""Refusals, waiting pods and the origin of a workload as people are told them."""

from pathlib import Path

import pytest
import yaml
from casefiles import DEFAULT_POLICY

from webhook.cli.inspect import denial, provenance, scheduler_message
from webhook.cli.inspect.denial import By
from webhook.core.api.pod import Metadata, Pod
from webhook.core.api.reason import with_link
from webhook.core.checks.registry import REASONS
from webhook.core.decision import classify
from webhook.core.policy import load as policy_file
from webhook.core.record_values import Cause

WEBHOOK = 'admission webhook "mutate.gpu-sharing.io" denied the request: '


def test_what_is_wrong_comes_from_the_causes_of_the_answer() -> None:
    causes = (
        Cause(reason="privileged", message='container "b": it is privileged', field="spec"),
        Cause(reason="a_new_one", message="something else"),
    )
    found = denial.read_denial(f"Error creating: {WEBHOOK}one; two [privileged]", causes)
    assert (found.by, found.ours, found.known) == (By.WEBHOOK, True, True)
    assert found.text == "one; two [privileged]"
    assert found.causes == causes


def test_without_causes_the_text_is_shown_whole() -> None:
    said = with_link("no; no [privileged]", REASONS["privileged"])
    found = denial.read_denial(WEBHOOK + said)
    assert (found.known, found.causes) == (False, (Cause(message=said),))


@pytest.mark.parametrize(
    ("message", "by", "code"),
    [
        (
            "pods is forbidden: ValidatingAdmissionPolicy 'gpu-sharing-backstop' with binding "
            "'gpu-sharing-backstop' denied request: a GPU request is not restricted to nodes "
            "where its name is safe: the webhook did not see the pod, or something changed it; "
            "create it again [not_rewritten]",
            By.BACKSTOP,
            "not_rewritten",
        ),
        (
            "ValidatingAdmissionPolicy 'x-backstop' with binding 'x' denied request: no",
            By.BACKSTOP,
            "",
        ),
        (WEBHOOK.replace("mutate", "validate") + "x [privileged]", By.WEBHOOK, ""),
        (
            'Internal error occurred: failed calling webhook "validate.gpu-sharing.io": failed to '
            'call webhook: Post "https://gpu-sharing…": context deadline exceeded',
            By.NO_ANSWER,
            "",
        ),
        ('pods "a" is forbidden: exceeded quota: small, requested: pods=1', By.OTHERS, ""),
        ('admission webhook "mutate.example.com" denied the request: no', By.OTHERS, ""),
        ("ValidatingAdmissionPolicy 'other' with binding 'o' denied request: no", By.OTHERS, ""),
        ("", By.OTHERS, ""),
    ],
)
def test_who_refused_is_told(message: str, by: By, code: str) -> None:
    found = denial.read_denial(message)
    assert (found.by, found.causes[0].reason) == (by, code)
    assert found.ours is (by is not By.OTHERS)


def test_the_texts_of_the_backstop_are_those_of_the_chart() -> None:
    rendered = (Path(__file__).parents[2] / "deploy" / "install.yaml").read_text(encoding="utf-8")
    messages = {
        each["message"]
        for found in yaml.load_all(rendered, yaml.CSafeLoader)
        if found["kind"] == "ValidatingAdmissionPolicy"
        and found["metadata"]["name"].endswith("-backstop")
        for each in found["spec"]["validations"]
    }
    only_by_policy = {text for text in denial.BACKSTOP if text.endswith("[cuda_visibility]")}
    stale = "deploy/install.yaml is stale: make generate, where `make e2e` has built Helm"
    assert messages == denial.BACKSTOP.keys() - only_by_policy, stale


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (
            "0/5 nodes are available: 2 Insufficient nvidia.com/mig-1g.5gb, 3 node(s) didn't match "
            "Pod's node affinity/selector. preemption: 0/5 nodes are available: 5 No preemption "
            "victims found for incoming pod.",
            "every nvidia.com/mig-1g.5gb that it may use is taken",
        ),
        ("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", "every nvidia.com/gpu that"),
        (
            "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) didn't "
            "match Pod's node affinity/selector.",
            "the nodes that have its GPU lack cpu and memory",
        ),
        (
            "0/5 nodes are available: 1 node(s) had untolerated taint {a: b}, 4 node(s) didn't "
            "match Pod's node affinity/selector. preemption: 0/5 nodes are available: Insufficient "
            "nvidia.com/gpu",
            "no node matches its node affinity",
        ),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", "taints"),
    ],
)
def test_what_the_scheduler_says_is_put_into_words(message: str, part: str) -> None:
    assert part in (scheduler_message.meaning(message) or "")


def test_what_has_nothing_to_do_with_gpus_is_left_to_the_scheduler() -> None:
    assert scheduler_message.meaning("persistentvolumeclaim not found") is None


LABELS = [
    {},
    {"gpu-sharing.io/workload": "dev"},
    {"notebook-name": "a"},
    {"app.kubernetes.io/part-of": "llminferenceservice"},
    {"app.kubernetes.io/part-of": "else"},
    {"gpu-sharing.io/tenant": "blue"},
]
PLACES = [
    {},
    {"gpu-sharing.io/workload": "inference"},
    {"gpu-sharing.io/tenant": "red"},
]


@pytest.mark.parametrize("namespace", PLACES)
@pytest.mark.parametrize("labels", LABELS)
def test_the_origin_is_the_label_that_decides(
    labels: dict[str, str], namespace: dict[str, str]
) -> None:
    policy = policy_file.parse_policy(DEFAULT_POLICY, DEFAULT_POLICY)
    facts = classify.classify(Pod(metadata=Metadata(labels=labels)), namespace, policy)
    assert (facts.source == provenance.NOTHING) is (facts.workload == "unclassified")
    if facts.workload == "inference" and "the namespace" in facts.source:
        assert not {"gpu-sharing.io/workload", "notebook-name"} & labels.keys()
    whose = provenance.of_tenant(labels, namespace)
    assert (whose == provenance.NOTHING) is (facts.tenant is None)
    assert ("the namespace" in whose) is (facts.tenant == "red")
