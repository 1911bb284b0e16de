"""The cluster that the end-to-end tests stand on: it schedules, runs, records, and goes.

Run with GPU_SHARING_E2E_RUN=1; the programs are built at the first run, which takes minutes.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import cluster
from tests.e2e.cluster import cgroups, node
from tests.e2e.cluster.cluster import FULL, Cluster
from tests.e2e.cluster.docker_archive import PAUSE_IMAGE
from tests.e2e.cluster.sandbox import init_pid

pytestmark = pytest.mark.skipif(
    os.environ.get("GPU_SHARING_E2E_RUN") != "1", reason="GPU_SHARING_E2E_RUN=1 starts a cluster"
)

SLICE = "nvidia.com/mig-1g.10gb"


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with cluster.running() as started:
        yield started


@pytest.fixture
def with_node(running: Cluster) -> Cluster:
    """The cluster, where it has a real node."""
    if running.node_kind != FULL:
        pytest.skip(running.node_reason)
    return running


def pod(name: str, **spec: Any) -> dict[str, Any]:
    """The smallest pod there is, of the image that every node has."""
    container = {"name": "main", "image": PAUSE_IMAGE, "imagePullPolicy": "Never"}
    container["resources"] = spec.pop("resources", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
    }


def test_a_pod_that_asks_for_a_slice_runs_on_the_fake_node_that_has_it(running: Cluster) -> None:
    """And on no other: the real scheduler counts extended resources of fake nodes."""
    running.add_gpu_node("mig", {"nvidia.com/mig.strategy": "mixed"}, {SLICE: 7})
    running.add_gpu_node("whole", {}, {"nvidia.com/gpu": 8})
    running.apply(pod("asks-for-a-slice", resources={"limits": {SLICE: 1}}))
    wait_until_ready(running, "asks-for-a-slice")

    assert node_of(running, "asks-for-a-slice") == "mig"


def test_a_removed_node_takes_its_pods_with_it(running: Cluster) -> None:
    running.add_gpu_node("short-lived", {}, {"nvidia.com/gpu": 1})
    running.apply(pod("there", nodeSelector={"kubernetes.io/hostname": "short-lived"}))
    wait_until_ready(running, "there")
    running.remove_node("short-lived")

    assert running.kubectl("get", "pod", "there").returncode != 0
    assert running.kubectl("get", "node", "short-lived").returncode != 0


def test_the_real_node_runs_a_pod(with_node: Cluster) -> None:
    with_node.apply(pod("real", nodeSelector={node.LABEL: "true"}))
    wait_until_ready(with_node, "real")

    assert node_of(with_node, "real") == node.NAME


def test_each_pod_is_in_the_audit_log_with_what_was_asked(running: Cluster) -> None:
    running.apply(pod("audited"))
    lines = running.audit_log.read_text(encoding="utf-8").splitlines()
    asked = [event["requestObject"] for event in map(json.loads, lines) if created_pod(event)]

    assert "audited" in [each["metadata"]["name"] for each in asked]


def test_a_restarted_api_server_knows_what_it_knew(running: Cluster) -> None:
    running.apply(pod("before"))
    running.restart_apiserver()

    assert running.kubectl("get", "pod", "before").returncode == 0


def test_nothing_is_left_of_a_stopped_cluster() -> None:
    """No process of its namespaces, no directory, no cgroup."""
    with cluster.running() as started:
        directory = started.site.sandbox.state
        assert init_pid(directory) is not None

    assert init_pid(directory) is None
    assert not directory.exists()
    assert cgroups.left(directory.name) == []


def wait_until_ready(running: Cluster, name: str) -> None:
    ready = running.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    assert ready.returncode == 0, running.kubectl("describe", "pod", name).stdout


def node_of(running: Cluster, name: str) -> str:
    return running.kubectl("get", "pod", name, "-o", "jsonpath={.spec.nodeName}").stdout


def created_pod(event: dict[str, Any]) -> bool:
    asked = (event["verb"], event.get("objectRef", {}).get("resource"), event["level"])
    return asked == ("create", "pods", "Request")
