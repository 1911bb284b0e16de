"""`gpu-sharing status`: every part by itself, what is wrong, and what may not be seen."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Run, record
from fake_cluster import FakeCluster, edits, metrics_of
from small_cluster import NOW, REPLICAS, TWO_FOR_DEV, metrics, our_event

from tests.fake_apiserver.kubeconfig import write_kubeconfig
from webhook.cli.verbs.status import installed
from webhook.cli.verbs.status import metrics as measured
from webhook.server import metrics as server_metrics

KEYS = {
    *("well", "wrong", "install", "webhooks", "certificate", "policy", "inventory", "unreviewed"),
    *("counts", "nodes", "namespaces", "refusals", "notes", "missing", "versions"),
}
DAY = 86400


def test_a_webhook_that_is_well(look: Run) -> None:
    done = look("status")
    assert (done.code, done.err) == (0, "")
    assert done.out.rstrip().endswith("All is well.")
    for part in (
        "2/2",
        "registry.example.org/gpu-sharing:0.1.0",
        "mutate.gpu-sharing.io",
        "60 days left",
        "2 of 2 replicas have the newest",
        "NVIDIA-A100-SXM4-40GB  mig        nvidia.com/mig-1g.5gb  56",
        "several_gpus_not_allowed  34",
        "team-blue  enforce  blue",
        "3 mig",
        "Deployment/chat",
    ):
        assert part in done.out


def test_the_record_has_stable_keys(look: Run) -> None:
    found = record(look("status", "-o", "json"))
    assert found.keys() == KEYS
    assert (found["well"], found["wrong"], found["missing"]) == (True, [], [])
    assert found["install"]["server"]["ready"] == 2
    assert found["certificate"]["daysLeft"] == pytest.approx(60, abs=0.1)
    assert {each["strategy"] for each in found["inventory"]["offers"]} == {"mig", "exclusive"}
    assert found["counts"]["byReason"] == {"several_gpus_not_allowed": 34}
    assert [each["name"] for each in found["namespaces"]] == ["shop", "team-blue", "lab"]
    assert found["refusals"][0]["times"] == 17
    assert yaml.load(look("status", "-o", "yaml").out, yaml.CSafeLoader)["well"] is True


SERVER = ("deployments", "gpu-sharing", "gpu-sharing")
CERTIFICATES = ("deployments", "gpu-sharing", "gpu-sharing-certificates")
POLICY = ("configmaps", "gpu-sharing", "gpu-sharing-policy-in-force")
MUTATING = ("mutatingwebhookconfigurations", "", "gpu-sharing")
LABELS = ("metadata", "labels", "gpu-sharing.io/mode")
Change = tuple[tuple[str, str, str], tuple[str | int, ...], object]
OBJECTS: dict[str, Change] = {
    "replicas": (SERVER, ("status", "readyReplicas"), 1),
    "scaled": (SERVER, ("spec", "replicas"), 0),
    "rollout": (SERVER, ("status", "updatedReplicas"), 1),
    "certificates": (CERTIFICATES, ("status",), {}),
    "conditions": (MUTATING, ("webhooks", 0, "matchConditions"), []),
    "rules": (MUTATING, ("webhooks", 0, "rules"), [{"resources": ["services"]}]),
    "selector": (MUTATING, ("webhooks", 0, "namespaceSelector"), {}),
    "more labels": (MUTATING, ("webhooks", 0, "namespaceSelector", "matchLabels"), {"a": "b"}),
    "copy": (POLICY, ("data",), {"policy.yaml": "kind: Policy\nmodelMemory: ignore\n"}),
    "no policy": (POLICY, ("data",), {"policy.yaml": "]"}),
    "failurePolicy": (MUTATING, ("webhooks", 0, "failurePolicy"), "Ignore"),
    "caBundle": (MUTATING, ("webhooks", 0, "clientConfig"), {}),
    "mode": (("namespaces", "", "lab"), LABELS, "enforced"),
    "key": (("namespaces", "", "lab"), ("metadata", "labels", "gpu-sharing.io/tenants"), "a"),
}
NOT_THE_CHARTS = "its rules, namespaceSelector or matchConditions are not the chart's"
NUMBERS = {
    "certificate": ("gpu_sharing_certificate_not_after_seconds", NOW.timestamp() + 3 * DAY),
    "ended": ("gpu_sharing_certificate_not_after_seconds", NOW.timestamp() - DAY),
    "policy": ("gpu_sharing_policy_stale", 1),
    "age": ("gpu_sharing_inventory_age_seconds", 1000),
    "unreviewed": ('gpu_sharing_unreviewed_pods{namespace="shop"}', 2),
}


def broken(cluster: FakeCluster, what: str) -> None:
    """Break one thing."""
    if what in NUMBERS:
        cluster.texts[metrics_of(REPLICAS[0])] = metrics(**dict([NUMBERS[what]]))
        return
    which, path, value = OBJECTS[what]
    at: Any = cluster.find(*which)
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value


def test_a_policy_that_is_deleted_is_told(look: Run, cluster: FakeCluster) -> None:
    cluster.drop(POLICY[0], "gpu-sharing", "gpu-sharing-policy-in-force")
    done = look("status")
    assert done.code == 1
    assert "there is no configmap/gpu-sharing-policy-in-force in namespace gpu-sharing" in done.out


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("replicas", "gpu-sharing: 1 of 2 replicas are ready, 2 of the newest version"),
        ("rollout", "gpu-sharing: 2 of 2 replicas are ready, 1 of the newest version"),
        ("scaled", "gpu-sharing: scaled to 0; kubectl -n gpu-sharing scale deployment/gpu-sharing"),
        ("conditions", f"mutate.gpu-sharing.io: {NOT_THE_CHARTS}"),
        ("rules", f"mutate.gpu-sharing.io: {NOT_THE_CHARTS}"),
        ("selector", f"mutate.gpu-sharing.io: {NOT_THE_CHARTS}"),
        ("more labels", f"mutate.gpu-sharing.io: {NOT_THE_CHARTS}"),
        ("copy", "ConfigMap gpu-sharing-policy is not what the replicas read"),
        ("no policy", "ConfigMap gpu-sharing-policy is not what the replicas read"),
        ("certificates", "gpu-sharing-certificates: 0 of 1 replicas are ready"),
        (
            "failurePolicy",
            "mutate.gpu-sharing.io: failurePolicy Ignore is in force, Fail is configured",
        ),
        ("caBundle", "mutate.gpu-sharing.io: no caBundle"),
        ("mode", "namespace lab: mode 'enforced' means nothing"),
        ("key", "namespace lab: label gpu-sharing.io/tenants: unknown; did you mean the label"),
        ("certificate", "the serving certificate: 3 days left"),
        ("ended", "the serving certificate: expired 1d"),
        ("policy", f"the policy is refused and an older one kept by {REPLICAS[0]}"),
        ("age", "a replica has not heard of the nodes for 16m"),
        ("unreviewed", "pods have a GPU and were not reviewed: 2 in shop"),
    ],
)
def test_one_broken_thing_is_named_and_ends_with_1(
    look: Run, cluster: FakeCluster, what: str, said: str
) -> None:
    broken(cluster, what)
    done = look("status")
    assert done.code == 1
    assert "Not well: 1 thing is wrong:" in done.out
    assert f"- {said}" in done.out
    found = record(look("status", "-o", "json"))
    assert found["well"] is False
    assert len(found["wrong"]) == 1


def test_a_policy_of_people_that_is_wrong_hides_nothing_else(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.find("configmaps", "gpu-sharing", "gpu-sharing-policy")["data"]["policy.yaml"] = "a: 1"
    done = look("status")
    assert "is not what the replicas read" in done.out
    assert "Nodes\n  cannot be seen: ConfigMap gpu-sharing/gpu-sharing-policy: line 1" in done.out


def test_users_that_are_let_through_are_no_difference(look: Run, cluster: FakeCluster) -> None:
    exempt = "apiVersion: gpu-sharing.io/v1\nkind: Policy\nexemptUsers: [ann]\n"
    cluster.find(*POLICY)["data"] = {"policy.yaml": exempt}
    assert look("status").out.endswith("All is well.\n")


def test_a_configuration_that_is_gone_is_wrong(look: Run, cluster: FakeCluster) -> None:
    cluster.drop("validatingwebhookconfigurations", "", "gpu-sharing")
    done = look("status")
    assert done.code == 1
    assert "there is no ValidatingWebhookConfiguration gpu-sharing: no pod is checked" in done.out


def test_no_node_at_all_is_wrong(look: Run, cluster: FakeCluster) -> None:
    cluster.texts |= dict.fromkeys(
        map(metrics_of, REPLICAS), metrics(gpu_sharing_inventory_nodes=0)
    )
    done = look("status")
    assert done.code == 1
    assert "the webhook knows of no nodes" in done.out


def test_a_node_whose_gpus_are_not_offered_is_named_with_the_mend(
    look: Run, cluster: FakeCluster
) -> None:
    bad = {"name": "bad", "labels": {"nvidia.com/gpu.present": "true"}}
    status = {"allocatable": {"nvidia.com/gpu": "1"}}
    cluster.put("nodes", {"metadata": bad, "status": status})
    found = record(look("status", "-o", "json"))
    assert [(each["node"], each["reason"]) for each in found["nodes"]] == [
        ("bad", "labels_missing")
    ]
    assert any("node bad: nvidia.com/gpu: no label" in note for note in found["notes"])
    assert look("status").out.endswith("All is well. But see the notes above.\n")


def test_no_offer_at_all_is_wrong(look: Run, cluster: FakeCluster) -> None:
    empty = [f"{line.rpartition(' ')[0]} 0" if "offers" in line else line
             for line in metrics().splitlines()]  # fmt: skip
    cluster.texts |= dict.fromkeys(map(metrics_of, REPLICAS), "\n".join(empty) + "\n")
    done = look("status")
    assert done.code == 1
    assert "no node offers a GPU" in done.out


def test_an_older_webhook_has_fewer_metrics(look: Run, cluster: FakeCluster) -> None:
    kept = [
        line for line in metrics().splitlines() if "offers" not in line and "unreviewed" not in line
    ]
    cluster.texts |= dict.fromkeys(map(metrics_of, REPLICAS), "\n".join(kept) + "\n")
    done = look("status")
    assert done.code == 0
    assert "the replicas do not look for them" in done.out
    cluster.texts |= dict.fromkeys(map(metrics_of, REPLICAS), "")
    assert look("status").code == 0


def test_a_replica_without_metrics_is_named(look: Run, cluster: FakeCluster) -> None:
    del cluster.texts[metrics_of(REPLICAS[1])]
    done = look("status")
    assert done.code == 0
    assert f"replica {REPLICAS[1]} gives no metrics" in done.out
    cluster.texts[metrics_of(REPLICAS[1])] = "{{{ no metrics"
    assert look("status").code == 0


def test_the_port_of_the_metrics_is_the_pods_own(look: Run, cluster: FakeCluster) -> None:
    for name in REPLICAS:
        cluster.texts[metrics_of(name, "9999")] = cluster.texts.pop(metrics_of(name))
    assert "gives no metrics" in look("status").out
    for name in REPLICAS:
        ports = [
            {"name": "https", "containerPort": 8443},
            {"name": "metrics", "containerPort": 9999},
        ]
        spec = cluster.find("pods", "gpu-sharing", name)["spec"]
        spec["containers"] = [{"name": "webhook", "ports": ports}]
    assert look("status").out.rstrip().endswith("All is well.")


def test_lost_events_are_told(look: Run, cluster: FakeCluster) -> None:
    page = metrics() .replace('gpu_sharing_events_total{result="dropped"} 0',
                              'gpu_sharing_events_total{result="dropped"} 5')  # fmt: skip
    cluster.texts[metrics_of(REPLICAS[0])] = page
    done = look("status")
    assert done.code == 0
    assert "events that were lost: 5 dropped" in done.out


def test_of_many_refusals_the_ten_most_frequent_are_shown(look: Run, cluster: FakeCluster) -> None:
    owner = cluster.find("deployments", "shop", "chat")
    for number in range(30):
        told = our_event(owner, "several_gpus_not_allowed", TWO_FOR_DEV, count=number + 100)
        told["metadata"]["name"] = f"event-{number}"
        cluster.put("events", told)
    done = look("status")
    assert done.out.count("Deployment/chat") == 10
    assert "and 21 more (gpu-sharing logs --refused)" in done.out
    assert len(record(look("status", "-o", "json"))["refusals"]) == 31


def test_a_refusal_of_long_ago_is_not_lately(look: Run, cluster: FakeCluster) -> None:
    for path, each in cluster.store.each():
        if path.resource == "events" and each.get("series"):
            each["series"]["lastObservedTime"] = "2020-01-01T00:00:00Z"
    assert record(look("status", "-o", "json"))["refusals"] == []


def test_a_namespace_user_sees_the_own_part_and_which_rights_are_missing(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.allowed = edits("shop")
    done = look("status")
    assert (done.code, done.err) == (0, "")
    assert "only namespace shop is shown" in done.out
    assert "Nothing is wrong in what you may see: 2 of 11 parts could be seen." in done.out
    for right in (
        "get deployments.apps in namespace gpu-sharing",
        "get mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "list pods in namespace gpu-sharing",
        "list namespaces",
        "list events in all namespaces",
    ):
        assert right in done.out
    found = record(look("status", "-o", "json"))
    assert (found["well"], found["install"], found["certificate"]) == (None, None, None)
    assert [each["name"] for each in found["namespaces"]] == ["shop"]
    assert len(found["missing"]) == 6


def test_a_namespace_that_is_not_opted_in_is_shown_as_off(
    run: Run, cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.allowed = edits("legacy")
    path = str(cluster.write_kubeconfig(tmp_path, "legacy"))
    assert "legacy     off" in run("status", "--kubeconfig", path).out


def test_metrics_need_a_right_of_their_own(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = lambda _verb, what, _where: what != "pods/proxy"
    done = look("status")
    assert done.code == 0
    assert "kubectl auth can-i get pods --subresource=proxy -n gpu-sharing" in done.out
    assert "8 of 10" not in done.out
    assert "5 of 11 parts could be seen" in done.out


def test_a_stranger_sees_nothing_and_is_told_why(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = lambda *_: False
    done = look("status")
    assert done.code == 2
    assert "Nothing could be seen." in done.out


def test_what_is_not_installed_is_said(look: Run) -> None:
    done = look("status", "--install", "elsewhere/mine")
    assert (done.code, done.out) == (2, "")
    assert "there is no deployment/mine in namespace elsewhere" in done.err


def test_a_certificate_that_somebody_else_keeps_needs_no_controller(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.drop("deployments", "gpu-sharing", "gpu-sharing-certificates")
    assert look("status").code == 0
    assert record(look("status", "-o", "json"))["install"]["certificates"] is None


def test_without_a_cluster_one_is_told_so_at_once(run: Run, tmp_path: Path) -> None:
    done = run("status", "--kubeconfig", str(write_kubeconfig(tmp_path, "http://127.0.0.1:1")))
    assert (done.code, done.out) == (2, "")
    assert "the cluster does not answer" in done.err


def test_every_number_that_is_asked_for_is_one_that_the_server_gives() -> None:
    given = [family.name for family in server_metrics.create_metrics().registry.collect()]
    given += [*server_metrics.GAUGES, *server_metrics.BY_NAMESPACE]
    given += [server_metrics.OFFERS, server_metrics.POLICY_SOURCE, server_metrics.BUILD_INFO]
    source = Path(measured.__file__).read_text(encoding="utf-8")
    asked = set(re.findall(r"gpu_sharing_[a-z_]+", source))
    assert {name.removesuffix("_total") for name in asked} <= set(given)


def test_a_replica_of_another_version_than_the_command_is_noted(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.texts[metrics_of(REPLICAS[0])] = metrics(
        **{'gpu_sharing_build_info{version="9.9.9"}': 1}
    )
    done = look("status")
    assert f"and 9.9.9 in {REPLICAS[0]}: upgrade one of them" in done.out
    assert done.code == 0


@pytest.mark.parametrize("source", ["last_good", "built_in"])
def test_what_decides_instead_of_a_policy_that_is_wrong_is_named(
    look: Run, cluster: FakeCluster, source: str
) -> None:
    told = {"gpu_sharing_policy_stale": 1, f'gpu_sharing_policy_source{{source="{source}"}}': 1}
    cluster.texts[metrics_of(REPLICAS[0])] = metrics(**told)
    used = source.replace("_", "-" if source == "built_in" else " ")
    assert f"the policy is refused and the {used} one used by {REPLICAS[0]}" in look("status").out


def test_the_replicas_that_a_deployment_is_scaled_back_to_are_those_that_were_installed() -> None:
    text = (Path(__file__).parents[2] / "deploy/install.yaml").read_text(encoding="utf-8")
    deployed = (
        each for each in yaml.load_all(text, yaml.CSafeLoader) if each["kind"] == "Deployment"
    )
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in deployed}
    usual = installed.USUAL
    assert replicas == {
        "gpu-sharing": usual["server"],
        "gpu-sharing-certificates": usual["certificates"],
    }
