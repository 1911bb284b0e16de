"""`gpu-sharing pools move` on the real cluster, with stand-ins for mig-manager, GFD and plugin.

The node is kwok's; what runs on it is `tests/cli/node_agents.py`, which writes labels and amounts
with kubectl as the real agents would. No GPU was there.
"""

import copy
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.people import BIN, Person, administrator
from tests.e2e.user import Json, User, until

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from node_agents import CONFIG, PLUGIN, STATE, Agents, total

NODE = "moving-1"
MIG = ("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")


@contextmanager
def living(user: User, agents: Agents) -> Iterator[None]:
    """Let the agents of the node take turns until the block ends."""
    over = threading.Event()

    def live() -> None:
        while not over.is_set():
            before = user.get("node", NODE)
            after = copy.deepcopy(before)
            agents.look(after)
            _write(user, before, after)
            over.wait(0.5)

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _write(user: User, before: Json, after: Json) -> None:
    """Amounts first: a plugin registers before GFD labels."""
    if after["status"]["allocatable"] != before["status"]["allocatable"]:
        amounts = after["status"]["allocatable"]
        status = json.dumps({"status": {"allocatable": amounts, "capacity": amounts}})
        user.kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "-p", status)
    was, now = before["metadata"]["labels"], after["metadata"]["labels"]
    changed = {key: now.get(key) for key in was | now if was.get(key) != now.get(key)}
    if changed:
        patch = json.dumps({"metadata": {"labels": changed}})
        user.kubectl("patch", "node", NODE, "--type=merge", "-p", patch)


@pytest.fixture(scope="module")
def agents() -> Agents:
    return Agents("NVIDIA-H100-80GB-HBM3", 2)


@pytest.fixture
def admin(user: User, agents: Agents) -> Iterator[Person]:
    """An administrator, beside a node of whole GPUs with a pod that a budget keeps."""
    now = agents.fresh()
    labels = {**now["labels"], CONFIG: "all-disabled", STATE: "success", PLUGIN: "whole"}
    user.cluster.add_gpu_node(NODE, labels, now["amounts"])
    yield administrator(user)
    user.cluster.remove_node(NODE)


def gpu_pod(user: User) -> None:
    """A Deployment of one pod on the node, and a budget that keeps it."""
    user.namespace("moving")
    container = {
        "name": "main", "image": "app:1", "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }  # fmt: skip
    labels = {"app": "held"}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": NODE},
        "containers": [container],
        "tolerations": [
            {"operator": "Exists", "effect": "NoSchedule", "key": "kwok.x-k8s.io/node"}
        ],
    }
    user.cluster.apply([
        {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "held", "namespace": "moving"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        },
        {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "held", "namespace": "moving"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}},
        },
    ])  # fmt: skip
    user.running("moving", "app=held")


def test_a_node_is_moved_into_mig_and_back(user: User, admin: Person, agents: Agents) -> None:
    gpu_pod(user)
    with living(user, agents):
        kept = admin.plugin("pools", "move", NODE, *MIG, "--timeout", "5")
        assert kept.returncode == 1, kept.stdout + kept.stderr
        assert "moving/held" in kept.stdout
        assert "disruption budget" in kept.stdout
        assert "unschedulable" not in user.get("node", NODE)["spec"]
        user.kubectl("-n", "moving", "delete", "pdb", "held")
        done = admin.plugin("pools", "move", NODE, *MIG, "--timeout", "120")
        assert done.returncode == 0, done.stdout + done.stderr
        _has(user, {"nvidia.com/mig-1g.10gb": 14})
        back = admin.plugin("pools", "move", NODE, "--to", "mps", "--yes", "--timeout", "120")
        assert back.returncode == 0, back.stdout + back.stderr
        _has(user, {"nvidia.com/gpu.shared": 20})
    user.kubectl("delete", "namespace", "moving", "--wait=false")


def _labels(user: User) -> dict[str, str]:
    found: dict[str, str] = user.get("node", NODE)["metadata"]["labels"]
    return found


def _has(user: User, amounts: dict[str, int]) -> None:
    node = user.get("node", NODE)
    assert dict(total(node["status"]["allocatable"])) == amounts
    assert "unschedulable" not in node["spec"]
    assert "gpu-sharing.io/pool-move" not in node["metadata"]["annotations"]


def test_a_move_that_is_killed_goes_on(user: User, admin: Person, agents: Agents) -> None:
    """Killed while mig-manager works, as a closed laptop would."""
    agents.applied = agents.seen = "all-disabled"
    command = ["env", f"KUBECONFIG={admin.kubeconfig}", str(BIN / "gpu-sharing"),
               "pools", "move", NODE, *MIG]  # fmt: skip
    with subprocess.Popen(user.cluster.netns_command(command)) as moving:
        until("the labels are set", lambda: _labels(user).get(CONFIG) == "all-1g.10gb")
        moving.kill()
    assert user.get("node", NODE)["spec"]["unschedulable"] is True
    with living(user, agents):
        done = admin.plugin("pools", "move", NODE, *MIG, "--timeout", "120")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "cordon:" not in done.stdout
        _has(user, {"nvidia.com/mig-1g.10gb": 14})


def test_the_pools_say_what_is_wrong_there(user: User, admin: Person, agents: Agents) -> None:
    user.kubectl("label", "--overwrite", "node", NODE, f"{STATE}=failed")
    found = until(
        "pools names the failed node",
        lambda: [
            each["code"]
            for node in json.loads(admin.plugin("pools", "-o", "json").stdout)["nodes"]
            if node["name"] == NODE
            for each in node["problems"]
        ],
    )
    assert "mig_failed" in found
