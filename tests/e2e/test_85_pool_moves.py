"""`gpu-sharing pools move` on the real cluster, with stand-ins for mig-manager, GFD and plugin.

The nodes are kwok's, tainted so that pods of other tests stay away. What runs on them is
`tests/cli/node_agents.py`, which writes labels and amounts as the real agents would. No GPU was
there.
"""

import copy
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.people import BIN, Person, administrator
from tests.e2e.user import Json, User

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from node_agents import CONFIG, PLUGIN, STATE, Agents, total

ALONE = {"key": "moving", "value": "alone", "effect": "NoSchedule"}
MIG = ("--to", "mig", "--mig-config", "all-1g.10gb", "--yes", "--poll", "0.2", "--timeout", "120")
STEPS = ("cordon", "drain", "label", "await mig", "await offers", "uncordon")


class Lab:
    """A node of two whole H100 with its agents, and an administrator who moves it."""

    def __init__(self, user: User, name: str) -> None:
        self.user, self.name, self.admin = user, name, administrator(user)
        self.agents = Agents("NVIDIA-H100-80GB-HBM3", 2, late=8)
        now = self.agents.fresh()
        labels = {**now["labels"], CONFIG: "all-disabled", STATE: "success", PLUGIN: "whole"}
        user.cluster.add_gpu_node(name, labels, now["amounts"], [ALONE])

    @property
    def node(self) -> Json:
        return self.user.get("node", self.name)

    def turn(self) -> None:
        """Let the agents look once. Amounts first: a plugin registers before GFD labels."""
        before = self.node
        after = copy.deepcopy(before)
        self.agents.look(after)
        if after["status"]["allocatable"] != before["status"]["allocatable"]:
            amounts = after["status"]["allocatable"]
            self._patch({"status": {"allocatable": amounts, "capacity": amounts}}, "status")
        was, now = before["metadata"]["labels"], after["metadata"]["labels"]
        changed = {key: now.get(key) for key in was | now if was.get(key) != now.get(key)}
        if changed:
            self._patch({"metadata": {"labels": changed}})

    def _patch(self, change: Json, part: str = "") -> None:
        flag = [f"--subresource={part}"] if part else []
        text = json.dumps(change)
        self.user.kubectl("patch", "node", self.name, *flag, "--type=merge", "-p", text)

    @contextmanager
    def living(self) -> Iterator[None]:
        """Let the agents take turns until the block ends."""
        over = threading.Event()

        def live() -> None:
            while not over.is_set():
                self.turn()
                over.wait(0.2)

        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def move(self, *words: str) -> "tuple[int, str]":
        done = self.admin.plugin("pools", "move", self.name, *words)
        return done.returncode, done.stdout + done.stderr

    def kill_at(self, step: str) -> None:
        """Begin the move and kill it when it has told a step, as a closed laptop would."""
        command = ["env", f"KUBECONFIG={self.admin.kubeconfig}", str(BIN / "gpu-sharing"),
                   "pools", "move", self.name, *MIG]  # fmt: skip
        line = self.user.cluster.netns_command(command)
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as moving:
            assert moving.stdout is not None
            told = next((each for each in moving.stdout if each.startswith(f"{step}:")), None)
            moving.kill()
        assert told, f"the move ended before {step}"

    def hold(self) -> None:
        """Give the node a pod of a Deployment that holds a GPU."""
        self.user.namespace(self.name)
        labels = {"app": "held"}
        limits = {"limits": {"nvidia.com/gpu": "1"}}
        spec = {
            "nodeSelector": {"kubernetes.io/hostname": self.name},
            "containers": [{"name": "main", "image": "app:1", "resources": limits}],
            "tolerations": [{"key": "moving", "operator": "Exists"}],
        }
        template = {"metadata": {"labels": labels}, "spec": spec}
        self.user.cluster.apply({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "held", "namespace": self.name},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        })  # fmt: skip
        self.user.running(self.name, "app=held")

    def keep(self) -> None:
        """Let a budget keep that pod."""
        selector = {"matchLabels": {"app": "held"}}
        self.user.cluster.apply({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "held", "namespace": self.name},
            "spec": {"minAvailable": 1, "selector": selector},
        })  # fmt: skip

    def has(self, amounts: dict[str, int]) -> None:
        """The node is open, bears no mark, and gives these."""
        node = self.node
        assert dict(total(node["status"]["allocatable"])) == amounts
        assert "unschedulable" not in node["spec"]
        assert "gpu-sharing.io/pool-move" not in node["metadata"]["annotations"]


@pytest.fixture
def lab(user: User, request: pytest.FixtureRequest) -> Iterator[Lab]:
    words = re.findall(r"[a-z]+", request.node.name.removeprefix("test_a_"))
    name = "-".join(words)[:50]
    made = Lab(user, name)
    made.hold()
    yield made
    user.kubectl("delete", "namespace", made.name, "--wait=false")
    user.cluster.remove_node(made.name)


def problems(admin: Person, name: str) -> dict[str, str]:
    """What `pools` finds wrong with a node, and how it says to mend it."""
    nodes = json.loads(admin.plugin("pools", "-o", "json").stdout)["nodes"]
    return {e["code"]: e["mend"] for n in nodes if n["name"] == name for e in n["problems"]}


@pytest.mark.parametrize("step", STEPS)
def test_a_move_that_is_killed_goes_on(lab: Lab, step: str) -> None:
    with lab.living():
        lab.kill_at(step)
        told = problems(lab.admin, lab.name)
        if step in STEPS[1:-1]:  # killed at the first or last, the node may be open
            assert f"move {lab.name} --to mig --mig-config all-1g.10gb --yes" in told["moving"]
        code, said = lab.move(*MIG)
        assert code == 0, said
    lab.has({"nvidia.com/mig-1g.10gb": 14})
    assert "moving" not in problems(lab.admin, lab.name)


@pytest.mark.parametrize("step", ["drain", "await mig"])
def test_a_move_that_is_killed_goes_back(lab: Lab, step: str) -> None:
    with lab.living():
        lab.kill_at(step)
        code, said = lab.move("--undo", "--yes", "--timeout", "120")
        assert code == 0, said
    lab.has({"nvidia.com/gpu": 2})
    assert lab.node["metadata"]["labels"][PLUGIN] == "whole"


def test_a_budget_is_respected_and_a_failed_change_is_tried_again(lab: Lab) -> None:
    lab.keep()
    with lab.living():
        code, said = lab.move(*MIG[:-1], "3")
        assert code == 1, said
        assert f"{lab.name}/held" in said
        assert "disruption budget" in said
        lab.has({"nvidia.com/gpu": 2})
        lab.user.kubectl("-n", lab.name, "delete", "pdb", "held")
        lab.agents.fail = lambda name: name == "all-1g.10gb"
        code, said = lab.move(*MIG)
        assert code == 1, said
        assert "mig-manager failed to apply all-1g.10gb" in said
        assert {"moving", "mig_failed"} <= set(problems(lab.admin, lab.name))
        lab.agents.fail = lambda _: False
        code, said = lab.move(*MIG)
        assert code == 0, said
        lab.has({"nvidia.com/mig-1g.10gb": 14})
        code, said = lab.move("--to", "mps", "--yes", "--timeout", "120")
        assert code == 0, said
    lab.has({"nvidia.com/gpu.shared": 20})
