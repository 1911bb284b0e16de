"""`conformance`: what a cluster says to pods that it must refuse."""

import json
from collections import Counter

import pytest
from fake_cluster import FakeCluster

from webhook.cli.verbs.conformance.probes import load_probes
from webhook.core.checks.registry import CHECKS

HEAD = "apiVersion: gpu-sharing.io/v1\nkind: Policy\n"


def of(done) -> dict[str, str]:
    assert done.out, done.err
    return {each["check"]: each["outcome"] for each in json.loads(done.out)["probes"]}


@pytest.fixture
def red(cluster: FakeCluster) -> FakeCluster:
    """The cluster with a namespace of a tenant."""
    labels = {"gpu-sharing.io/mode": "enforce", "gpu-sharing.io/tenant": "red"}
    cluster.put("namespaces", {"metadata": {"name": "red", "labels": labels}})
    return cluster


def test_every_check_has_one_probe() -> None:
    probed = Counter(each.check for each in load_probes())
    assert probed == Counter(each.reason.code for each in CHECKS), "a line each in probes.yaml"


def test_in_a_namespace_of_a_tenant_every_probe_is_refused(look, red) -> None:
    done = look("conformance", "-n", "red", "-o", "json")
    others = {check: outcome for check, outcome in of(done).items() if outcome != "holds"}
    assert others == {"cuda_visibility": "policy"}  # only warned of: it reaches nothing
    assert done.code == 0


def test_a_webhook_that_lets_pods_pass_is_found_out(look, red) -> None:
    red.deaf = True
    done = look("conformance", "-n", "red")
    assert done.code == 1
    assert "do NOT hold" in done.out


def test_what_the_policy_lets_through_is_named(look, red) -> None:
    text = HEAD + "guards: {privileged: {tenants: warn, others: warn}}"
    name = {"name": "gpu-sharing-policy", "namespace": "gpu-sharing"}
    red.put("configmaps", {"metadata": name, "data": {"policy.yaml": text}})
    done = look("conformance", "-n", "red", "-o", "json")
    assert of(done)["privileged"] == "policy"
    assert done.code == 0


def test_a_refusal_by_others_proves_nothing(look, red) -> None:
    red.refuse = "exceeded quota: pods"
    done = look("conformance", "-n", "red", "-o", "json")
    assert set(of(done).values()) == {"other"}


def test_a_webhook_that_does_not_answer_is_no_proof_either(look, red) -> None:
    red.refuse = 'failed calling webhook "validate.gpu-sharing.io": timeout'
    done = look("conformance", "-n", "red")
    assert done.code == 2


def test_a_namespace_that_does_not_enforce_is_refused_with_the_mend(look, cluster) -> None:
    done = look("conformance", "-n", "lab")
    assert done.code == 2
    assert "lab does not enforce" in done.err
    assert "gpu-sharing.io/mode=enforce" in done.err
