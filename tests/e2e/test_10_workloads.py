"""Pods of every matrix row arrive rewritten, land on the right node and run; refusals are read."""

import json

import pytest
import yaml

from tests.e2e.chart import ROOT
from tests.e2e.installation import Installed
from tests.e2e.user import MODE, Json, User, limits, pod, until

EXAMPLES = ROOT / "examples"
PROMISES = yaml.safe_load((EXAMPLES / "promises.yaml").read_text(encoding="utf-8"))
NODES = {
    "training.yaml": {"h100-whole-1"},
    "inference.yaml": {"a100-mig-1", "a100-mig-2"},
    "inference-t4.yaml": {"t4-mps-1"},
    "dev.yaml": {"t4-dev-1"},
    "tenant.yaml": {"a100-mig-1", "a100-mig-2"},
    "tenant-training.yaml": {"h100-whole-1"},
    "unclassified.yaml": {"h100-whole-1"},
}


@pytest.fixture(scope="module", autouse=True)
def namespaces(installed: Installed) -> None:
    """The namespaces that the examples are written for."""
    installed.user.namespace("shop", {MODE: "enforce"})
    labels = {MODE: "enforce", "gpu-sharing.io/tenant": "blue"}
    installed.user.namespace("team-blue", labels)


def example(name: str) -> Json:
    made: Json = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))
    return made


def pods_of(user: User, owner: Json) -> list[Json]:
    """The pods of an example, once they all run."""
    namespace, name = owner["metadata"]["namespace"], owner["metadata"]["name"]

    def look() -> list[Json] | None:
        items = user.get("-n", namespace, "pods")["items"]
        mine = [p for p in items if p["metadata"]["name"].startswith(name)]
        done = ("Running", "Succeeded")
        return mine if mine and all(p["status"].get("phase") in done for p in mine) else None

    return until(f"pods of {name} run", look)


@pytest.mark.parametrize("name", sorted(NODES))
def test_an_example_runs_where_it_was_promised(user: User, name: str) -> None:
    owner, promise = example(name), PROMISES[name]
    user.kubectl("apply", "-f", str(EXAMPLES / name))
    for found in pods_of(user, owner):
        assert promise["gets"] in limits(found)
        assert found["spec"]["nodeName"] in NODES[name]
        assert found["metadata"]["labels"]["gpu-sharing.io/strategy"] == promise["strategy"]
        told = json.loads(found["metadata"]["annotations"]["gpu-sharing.io/decision"])
        assert told["containers"][0]["reason"] == promise["reason"]


def test_a_tenants_shared_ask_is_refused_and_kubectl_says_why(user: User) -> None:
    done = user.cluster.kubectl("apply", "-f", str(EXAMPLES / "tenant-shared.yaml"))
    assert done.returncode != 0
    assert 'admission webhook "mutate.gpu-sharing.io" denied the request' in done.stderr
    assert "[tenant_needs_isolation]" in done.stderr


def test_a_refusal_of_a_deployments_pods_stands_in_its_condition(user: User, team: str) -> None:
    made = pod("web", "dev", count=2)
    template = {"metadata": {"labels": made["metadata"]["labels"]}, "spec": made["spec"]}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"run": "web"}}, "template": template},
    }
    let_in, printed = user.create(team, owner)
    assert let_in, printed

    def message() -> str | None:
        status = user.get("-n", team, "deployment", "web").get("status", {})
        texts = (
            c["message"] for c in status.get("conditions", ()) if c["type"] == "ReplicaFailure"
        )
        return next(texts, None)

    assert "[several_gpus_not_allowed]" in until("ReplicaFailure of web", message)


def test_warnings_reach_the_person_at_kubectl(user: User, team: str) -> None:
    let_in, printed = user.create(team, pod("nb", "dev"))
    assert let_in
    assert "Warning: time-slicing: 15360 MiB shared with other pods" in printed


def test_a_dry_run_shows_the_result_and_creates_nothing(user: User, team: str) -> None:
    flags = ("--dry-run=server", "-o", "json")
    let_in, printed = user.create(team, pod("dry", "inference"), *flags)
    assert let_in
    assert "nvidia.com/mig-1g.5gb" in printed
    assert user.get("-n", team, "pods")["items"] == []


def test_an_ephemeral_container_gets_no_gpu(user: User, team: str) -> None:
    assert user.create(team, pod("host", "inference"))[0]
    user.running(team, "run=host")
    added = [{"name": "debug", "image": "busybox", "targetContainerName": "main"}]
    found = user.get("-n", team, "pod", "host")
    found["spec"]["ephemeralContainers"] = added
    path = f"/api/v1/namespaces/{team}/pods/host/ephemeralcontainers"
    user.kubectl("replace", "--raw", path, "-f", "-", data=json.dumps(found))
    env = user.get("-n", team, "pod", "host")["spec"]["ephemeralContainers"][0]["env"]
    assert env == [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]


def test_an_ephemeral_container_that_names_gpus_is_refused(user: User, team: str) -> None:
    assert user.create(team, pod("host", "inference"))[0]
    user.running(team, "run=host")
    env = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]
    found = user.get("-n", team, "pod", "host")
    found["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "busybox", "env": env}]
    path = f"/api/v1/namespaces/{team}/pods/host/ephemeralcontainers"
    done = user.cluster.kubectl("replace", "--raw", path, "-f", "-", data=json.dumps(found))
    assert done.returncode != 0
    assert "[gpu_visibility]" in done.stderr
