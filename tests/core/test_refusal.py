"""Refusals, waiting pods and the origin of a workload as people are told them."""

import pytest
from casefiles import DEFAULT_POLICY

from webhook.cli.inspect import denial, provenance, scheduler_message
from webhook.cli.inspect.denial import By, Wrong
from webhook.core.api import reasons
from webhook.core.api.pod import Metadata, Pod
from webhook.core.api.reason import Reason, with_link
from webhook.core.decision import classify
from webhook.core.policy import load as policy_file

WEBHOOK = 'admission webhook "mutate.gpu-sharing.io" denied the request: '


def test_every_violation_of_a_refusal_is_told_apart() -> None:
    said = (
        f'Error creating: {WEBHOOK}container "a": nvidia.com/gpu: 2 asked [x]; write 1 '
        '[several_gpus_not_allowed]; container "b": privileged [privileged]; and 3 more'
    )
    found = denial.read(said)
    assert (found.by, found.ours) == (By.WEBHOOK, True)
    assert found.wrongs == (
        Wrong(
            reasons.SEVERAL_GPUS_NOT_ALLOWED, 'container "a": nvidia.com/gpu: 2 asked [x]; write 1'
        ),
        Wrong(reasons.PRIVILEGED, 'container "b": privileged'),
        Wrong(None, "and 3 more"),
    )


def test_the_link_that_the_server_adds_is_none_of_what_is_wrong() -> None:
    said = with_link(f"{WEBHOOK}no [privileged]", reasons.PRIVILEGED)
    assert denial.read(said).wrongs == (Wrong(reasons.PRIVILEGED, "no"),)


def test_the_page_that_a_refusal_names_is_kept_and_is_no_part_of_the_last_violation() -> None:
    found = denial.read(f"{WEBHOOK}no [privileged] - see https://docs.example/reasons#privileged")
    assert found.wrongs == (Wrong(reasons.PRIVILEGED, "no"),)
    assert found.page == "https://docs.example/reasons"


@pytest.mark.parametrize(
    ("message", "by", "code"),
    [
        (
            "pods is forbidden: ValidatingAdmissionPolicy 'gpu-sharing-backstop' with binding "
            "'gpu-sharing-backstop' denied request: it is not pinned [not_rewritten]",
            By.BACKSTOP,
            reasons.NOT_REWRITTEN,
        ),
        (WEBHOOK.replace("mutate", "validate") + "x [privileged]", By.WEBHOOK, reasons.PRIVILEGED),
        (
            'Internal error occurred: failed calling webhook "validate.gpu-sharing.io": failed to '
            'call webhook: Post "https://gpu-sharing…": context deadline exceeded',
            By.NO_ANSWER,
            None,
        ),
        ('pods "a" is forbidden: exceeded quota: small, requested: pods=1', By.OTHERS, None),
        ('admission webhook "mutate.example.com" denied the request: no', By.OTHERS, None),
        ("ValidatingAdmissionPolicy 'other' with binding 'o' denied request: no", By.OTHERS, None),
        ("", By.OTHERS, None),
    ],
)
def test_who_refused_is_told(message: str, by: By, code: Reason | None) -> None:
    found = denial.read(message)
    assert (found.by, found.wrongs[0].code) == (by, code)
    assert found.ours is (by is not By.OTHERS)


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
            "no node has what its pins",
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
    policy = policy_file.load(DEFAULT_POLICY, DEFAULT_POLICY)
    facts = classify.facts(Pod(metadata=Metadata(labels=labels)), namespace, policy)
    whence = provenance.of_workload(labels, namespace, policy)
    assert (whence == provenance.NOTHING) is (facts.workload == "unclassified")
    if facts.workload == "inference" and "the namespace" in whence:
        assert not {"gpu-sharing.io/workload", "notebook-name"} & labels.keys()
    whose = provenance.of_tenant(labels, namespace)
    assert (whose == provenance.NOTHING) is (facts.tenant is None)
    assert ("the namespace" in whose) is (facts.tenant == "red")
