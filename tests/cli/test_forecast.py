"""What enforcement would make of what exists: outcomes, GPUs before and after, quotas."""

from pathlib import Path
from typing import Any

import pytest

from webhook.cli import loaders
from webhook.cli.evaluate import Context
from webhook.cli.forecast import evaluate, groups, quotas, totals
from webhook.cli.forecast.evaluate import AuditRow, Outcome
from webhook.cli.loaders import Cluster
from webhook.cli.verbs.audit import record

Json = dict[str, Any]
INVENTORY = Path(__file__).parents[2] / "examples" / "inventory.yaml"
MODE = "gpu-sharing.io/mode"


@pytest.fixture(scope="module")
def context() -> Context:
    policy = loaders.load_policy(None)
    nodes = loaders.load_cluster(str(INVENTORY)).nodes
    namespaces = {"team": {}, "blue": {"gpu-sharing.io/tenant": "blue"}}
    cluster = Cluster(nodes, namespaces)
    return Context(policy, loaders.inventory_of(cluster, policy), cluster, {MODE: "enforce"})


def spec(resource: str | None = "nvidia.com/gpu", count: int = 1, **more: Any) -> Json:
    limits = {resource: str(count)} if resource else {}
    return {"containers": [{"name": "main", "resources": {"limits": limits}}], **more}


def deployment(name: str, workload: str, *, replicas: int = 1, **more: Any) -> Json:
    template = {
        "metadata": {"labels": {"gpu-sharing.io/workload": workload}},
        "spec": more.pop("pod", None) or spec(**more),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "team", "uid": name},
        "spec": {"replicas": replicas, "template": template},
    }


def rows(context: Context, *objects: Json, pods: tuple[Json, ...] = ()) -> tuple[AuditRow, ...]:
    found, unreadable = evaluate.forecast(groups.group(objects, pods), context)
    assert unreadable == ()
    return found


def only(context: Context, *objects: Json, pods: tuple[Json, ...] = ()) -> AuditRow:
    (row,) = rows(context, *objects, pods=pods)
    return row


@pytest.mark.parametrize(
    ("subject", "outcome"),
    [
        (deployment("a", "inference"), Outcome.CHANGED),
        (deployment("a", "dev"), Outcome.CHANGED),
        (deployment("a", "training"), Outcome.NODE_AFFINITY),
        (deployment("a", "dev", count=2), Outcome.REFUSED),
        (
            deployment("a", "training", pod=spec(None, hostNetwork=False, volumes=[
                {"name": "dev", "hostPath": {"path": "/dev"}}])),
            Outcome.REFUSED,
        ),
    ],
)  # fmt: skip
def test_the_outcome(context: Context, subject: Json, outcome: Outcome) -> None:
    assert only(context, subject).outcome is outcome


def test_what_touches_no_gpu_is_no_row(context: Context) -> None:
    assert rows(context, deployment("web", "inference", resource=None)) == ()


def test_replicas_multiply_and_a_saving_is_a_fraction(context: Context) -> None:
    row = only(context, deployment("a", "inference", replicas=14))
    assert (row.pods, row.before, row.after.devices) == (14, 14, {"mig": 14})
    assert row.after.gpus == pytest.approx(2)


def test_the_mode_of_the_namespace_does_not_matter(context: Context) -> None:
    refused = only(context, deployment("a", "dev", count=2))
    assert not refused.result.verdict.allowed
    assert refused.result.verdict.message.startswith('container "main"')


def test_a_live_pod_is_judged_as_it_was_before_it_had_a_node(context: Context) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "blue"},
        "spec": spec(nodeName="somewhere"),
    }
    row = only(context, pods=(pod,))
    assert (row.outcome, row.result.verdict.tenant) == (Outcome.CHANGED, "blue")
    assert "node_name" not in " ".join(row.result.verdict.warnings)


def test_what_a_live_pod_holds_depends_on_its_node(context: Context) -> None:
    label = "nvidia.com/gpu.sharing-strategy"
    sharing = [
        n for n in context.cluster.nodes if (n.metadata.labels or {})[label] == "time-slicing"
    ]
    shared = sharing[0].metadata.name
    web = deployment("web", "dev", resource="nvidia.com/gpu.shared", replicas=2)
    pods = tuple(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "team", "ownerReferences": [
                {"controller": True, "kind": "Deployment", "name": "web", "uid": "web",
                 "apiVersion": "apps/v1"}]},
            "spec": spec("nvidia.com/gpu.shared", nodeName=node),
        }
        for name, node in (("web-1", shared), ("web-2", None))
    )  # fmt: skip
    row = only(context, web, pods=pods)
    assert row.pods == 2
    assert 1 < row.before < 2  # a share of the one, the whole of the other that waits


def test_refused_pods_are_no_saving(context: Context) -> None:
    total = totals.add_up(
        rows(context, deployment("ok", "training", count=2), deployment("no", "dev", count=2))
    )
    assert (total.before, total.after, total.refused) == (2, 2, 2)
    assert total.outcomes == {Outcome.NODE_AFFINITY: 1, Outcome.REFUSED: 1}


def test_a_template_that_cannot_be_read_is_told_and_the_rest_is_seen(context: Context) -> None:
    broken = deployment("broken", "dev", pod={"containers": [{"name": 7}]})
    found, unreadable = evaluate.forecast(
        groups.group([broken, deployment("fine", "dev")], ()), context
    )
    assert [row.group.root["metadata"]["name"] for row in found] == ["fine"]
    assert "broken" in str(unreadable[0])


def test_a_root_without_a_template_is_judged_by_its_pods(context: Context) -> None:
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TrainJob",
        "metadata": {"name": "t", "namespace": "team", "uid": "t"},
        "spec": {"runtimeRef": {"name": "torch"}},
    }
    owner = {"controller": True, "kind": "TrainJob", "name": "t", "uid": "t", "apiVersion": "x/v1"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "t-0", "namespace": "team", "ownerReferences": [owner]},
        "spec": spec(),
    }
    row = only(context, job, pods=(pod,))
    assert (row.group.root["kind"], row.pods) == ("TrainJob", 1)


def test_the_record_has_the_keys_that_tools_read(context: Context) -> None:
    made = record.row_record(only(context, deployment("a", "inference", replicas=2)))
    assert made["gpus"] == {"before": 2, "waiting": 2, "after": 0.29}
    assert {k: made[k] for k in ("namespace", "kind", "name", "pods", "outcome", "reason")} == {
        "namespace": "team", "kind": "Deployment", "name": "a", "pods": 2,
        "outcome": "changed", "reason": "mig_slice",
    }  # fmt: skip


def test_a_quota_that_would_count_no_more_is_named(context: Context) -> None:
    quota = {
        "metadata": {"name": "gpus", "namespace": "team"},
        "spec": {"hard": {"requests.nvidia.com/gpu": "4"}},
    }
    made = rows(context, deployment("a", "inference"))
    (note,) = quotas.notes([quota], made)
    assert "team/gpus" in note
    assert "add requests.nvidia.com/mig-1g.5gb" in note
    quota["spec"]["hard"]["requests.nvidia.com/mig-1g.5gb"] = "0"
    assert list(quotas.notes([quota], made)) == []
    elsewhere = {**quota, "metadata": {"name": "gpus", "namespace": "other"}}
    assert list(quotas.notes([elsewhere], made)) == []


def test_the_one_command_that_turns_enforcement_on() -> None:
    assert record.turn_on_command("team") == (
        "kubectl label --overwrite namespace team gpu-sharing.io/mode=enforce"
    )
