"""`gpu-sharing pools move`: every order of events, interrupted at every step, undone and failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import Done
from node_agents import CONFIG, PLUGIN, STATE, Agents, total

from tests.fake_apiserver.answers import status
from tests.fake_apiserver.server import FakeApiServer
from webhook.cli.main import parser
from webhook.cli.verbs.pools import move as moves
from webhook.core.api.names import POOL_MOVE
from webhook.core.pools.moving import Step

NODE = "/api/v1/nodes/gpu-1"
H100, T4 = "NVIDIA-H100-80GB-HBM3", "Tesla-T4"


class Lab:
    """One node with its agents, which take a turn at each time that the command waits."""

    def __init__(self, api: FakeApiServer, agents: Agents, kubeconfig: str, capsys: Any) -> None:
        self.api, self.agents, self._kubeconfig, self._capsys = api, agents, kubeconfig, capsys
        now = agents.fresh()
        labels = {**now["labels"], CONFIG: "all-disabled", PLUGIN: "whole"}
        if now["labels"]["nvidia.com/mig.capable"] == "true":
            labels[STATE] = "success"
        self.put({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "gpu-1", "labels": labels, "annotations": {"kept": "yes"}},
            "spec": {},
            "status": {"allocatable": {key: str(n) for key, n in now["amounts"].items()}},
        })  # fmt: skip

    def put(self, node: dict[str, Any]) -> None:
        self.api.store.put("/api/v1/nodes", node)

    @property
    def node(self) -> dict[str, Any]:
        return self.api.store.objects[NODE]

    @property
    def labels(self) -> dict[str, str]:
        return self.node["metadata"]["labels"]

    def pod(self, name: str, owner: str | None = "ReplicaSet", gpu: str = "nvidia.com/gpu") -> None:
        owners = [{"apiVersion": "v1", "kind": owner, "name": "o", "uid": "u", "controller": True}]
        self.api.store.put("/api/v1/namespaces/team/pods", {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": "team", "ownerReferences": owners if owner else [],
            },
            "spec": {
                "nodeName": "gpu-1",
                "containers": [{"name": "c", "resources": {"limits": {gpu: 1} if gpu else {}}}],
            },
            "status": {"phase": "Running"},
        })  # fmt: skip

    def turn(self, _: float = 0) -> None:
        self.api.store.edit(NODE, self.agents.look)

    def move(self, *words: str, timeout: str = "5") -> Done:
        return self.pools("move", "gpu-1", *words, "--poll", "0", "--timeout", timeout)

    def pools(self, *words: str) -> Done:
        """Run the command with a clock whose pauses are the agents' turns."""
        args = parser("pools").parse_args(["pools", *words, "--kubeconfig", self._kubeconfig])
        args.clock = moves.Clock(pause=self.turn)
        try:
            code = args.run(args)
        except KeyboardInterrupt:
            code = 130
        written = self._capsys.readouterr()
        return Done(code, written.out, written.err)

    def offers(self) -> dict[str, int]:
        return dict(total(self.node["status"]["allocatable"]))


@pytest.fixture
def make(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FakeApiServer() as api:

        def made(product: str = H100, gpus: int = 2, **more: Any) -> Lab:
            kubeconfig = str(api.write_kubeconfig(tmp_path))
            return Lab(api, Agents(product, gpus, **more), kubeconfig, capsys)

        yield made


def settled(lab: Lab) -> None:
    """Open again, no mark, and other people's annotations are there."""
    assert "unschedulable" not in lab.node["spec"]
    assert lab.node["metadata"]["annotations"] == {"kept": "yes"}


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("--to", "mig", "--mig-config", "all-1g.10gb"), {"nvidia.com/mig-1g.10gb": 14}),
        (("--to", "all-3g.40gb"), {"nvidia.com/mig-3g.40gb": 4}),
        (
            ("--to", "mig"),
            {"nvidia.com/mig-1g.10gb": 4, "nvidia.com/mig-2g.20gb": 2, "nvidia.com/mig-3g.40gb": 2},
        ),
        (("--to", "mps"), {"nvidia.com/gpu.shared": 20}),
        (("--to", "time-slicing"), {"nvidia.com/gpu.shared": 8}),
        (("--to", "whole"), {"nvidia.com/gpu": 2}),
    ],
)
def test_a_node_arrives(make: Any, words: tuple[str, ...], offers: dict[str, int]) -> None:
    lab = make()
    lab.pod("training")
    lab.pod("web", gpu="")
    done = lab.move(*words, "--yes")
    assert done.code == 0, done.out
    assert lab.offers() == offers
    settled(lab)
    pods = [p.name for p, _ in lab.api.store.each() if p.resource == "pods"]
    assert pods == (["training", "web"] if words[1] == "whole" else ["web"])


def test_back_from_mig_and_a_node_without_mig(make: Any) -> None:
    lab = make()
    lab.move("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")
    assert lab.move("--to", "mps", "--yes").code == 0
    assert lab.labels[CONFIG] == "all-disabled"
    assert lab.offers() == {"nvidia.com/gpu.shared": 20}
    lab = make(T4)
    assert lab.move("--to", "mps", "--yes").code == 0
    assert lab.offers() == {"nvidia.com/gpu.shared": 20}
    assert lab.agents.states == []


def test_the_old_success_is_removed_and_both_labels_come_in_one_request(make: Any) -> None:
    lab = make()
    lab.move("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")
    patches = [each.body["metadata"].get("labels") for each in lab.api.seen("patch", NODE)]
    assert [each for each in patches if each] == [
        {PLUGIN: "mig", CONFIG: "all-1g.10gb", STATE: None},
    ]


def test_the_keys_of_a_cluster_may_be_called_otherwise(make: Any) -> None:
    lab = make()
    done = lab.move("--to", "whole", "--plugin-config", "default", "--yes")
    assert done.code == 0, done.out
    assert lab.labels[PLUGIN] == "default"


def test_each_step_is_told(make: Any) -> None:
    lab = make()
    lab.pod("training")
    done = lab.move("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")
    told = [line.split(":")[0] for line in done.out.splitlines()]
    assert told == [
        "cordon", "drain", "label", "await mig", "await offers", "uncordon", "done",
    ]  # fmt: skip


def test_without_yes_the_steps_are_printed_and_nothing_is_done(make: Any) -> None:
    lab = make()
    lab.pod("training")
    done = lab.move("--to", "mig", "--mig-config", "all-1g.10gb")
    assert done.code == 0
    assert lab.api.writes() == []
    both = "nvidia.com/device-plugin.config=mig nvidia.com/mig.config=all-1g.10gb"
    both = f"nvidia.com/mig.config.state- {both}"
    assert f"kubectl label --overwrite node gpu-1 {both}\n" in done.out
    assert "evict team/training" in done.out


@contextmanager
def interrupted(monkeypatch: pytest.MonkeyPatch, after: int) -> Iterator[None]:
    """End the command right before (even) or after (odd) its n-th step."""
    real, count = moves._act, iter(range(10_000))

    def act(*arguments: Any) -> None:
        number = next(count)
        if number * 2 == after:
            raise KeyboardInterrupt
        real(*arguments)
        if number * 2 + 1 == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(moves, "_act", act)
        yield


@pytest.mark.parametrize("after", range(20))
@pytest.mark.parametrize("start", ["success", "failed"])
def test_an_interrupted_move_goes_on(
    make: Any, monkeypatch: pytest.MonkeyPatch, after: int, start: str
) -> None:
    lab = make()
    lab.pod("training")
    if start == "failed":
        lab.labels[CONFIG] = lab.agents.seen = "all-1g.10gb"
        lab.labels[STATE] = "failed"
    words = ("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")
    with interrupted(monkeypatch, after):
        first = lab.move(*words)
    assert first.code in (0, 130)
    for _ in range(after % 4):  # the world goes on meanwhile
        lab.turn()
    again = lab.move(*words)
    assert again.code == 0, again.out
    assert lab.offers() == {"nvidia.com/mig-1g.10gb": 14}
    settled(lab)


@pytest.mark.parametrize("after", range(1, 14))
def test_an_interrupted_move_goes_back(
    make: Any, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    lab = make()
    words = ("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")
    with interrupted(monkeypatch, after):
        first = lab.move(*words)
    if first.code == 130:
        back = lab.move("--undo", "--yes")
        assert back.code == 0, back.out
        assert lab.offers() == {"nvidia.com/gpu": 2}
        assert (lab.labels[PLUGIN], lab.labels[CONFIG]) == ("whole", "all-disabled")
    settled(lab)


@pytest.mark.parametrize("words", [
    ("--to", "mig", "--mig-config", "all-1g.10gb"),
    ("--to", "mps", "--plugin-config", "mps"),
    ("--to", "whole", "--plugin-config", "default"),
])  # fmt: skip
def test_a_move_that_has_not_ended_is_listed_with_the_command_that_goes_on(
    make: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    lab = make()
    lab.pod("training")
    with interrupted(monkeypatch, 2):
        assert lab.move(*words, "--yes").code == 130
    listed = lab.pools()
    assert listed.code == 1
    assert "gpu-1: error moving" in listed.out
    shown = " ".join(listed.out.split())
    named = " ".join(words).removesuffix(" --plugin-config mps")
    assert f"go on: gpu-sharing pools move gpu-1 {named} --yes" in shown
    assert "back: gpu-sharing pools move gpu-1 --undo --yes" in shown
    again = lab.move(*named.split(), "--yes")
    assert again.code == 0, again.out
    assert "error moving" not in lab.pools().out


def test_a_node_that_was_cordoned_stays_so(make: Any) -> None:
    lab = make()
    lab.node["spec"]["unschedulable"] = True
    assert lab.move("--to", "mps", "--yes").code == 0
    assert lab.node["spec"]["unschedulable"] is True
    assert POOL_MOVE not in lab.node["metadata"]["annotations"]


def test_a_budget_keeps_a_pod_and_the_node_is_opened_again(make: Any) -> None:
    lab = make()
    lab.pod("training")
    evict = "/api/v1/namespaces/team/pods/training/eviction"
    kept = "Cannot evict pod as it would violate the pod's disruption budget."
    lab.api.plan("create", evict, *[status(429, kept)] * 1000)
    done = lab.move("--to", "mps", "--yes", timeout="0.2")
    assert done.code == 1
    assert f"team/training stays for now: {kept}" in done.out
    assert "kept by team/training; nothing was changed" in done.out
    assert lab.labels[PLUGIN] == "whole"
    settled(lab)


@pytest.mark.parametrize(("owner", "said"), [(None, "--force"), ("DaemonSet", "makes it again")])
def test_pods_that_cannot_be_evicted_safely(make: Any, owner: str | None, said: str) -> None:
    lab = make()
    lab.pod("alone", owner)
    done = lab.move("--to", "mps", "--yes")
    assert done.code == 1
    assert said in done.out
    if owner is None:
        assert lab.move("--to", "mps", "--yes", "--force").code == 0


def test_a_failed_change_is_told_and_the_node_stays_closed(make: Any) -> None:
    lab = make(fail=lambda name: name == "all-1g.10gb")
    done = lab.move("--to", "mig", "--mig-config", "all-1g.10gb", "--yes")
    assert done.code == 1
    assert "mig-manager failed to apply all-1g.10gb" in done.out
    assert lab.node["spec"]["unschedulable"] is True
    lab.agents.fail = lambda _: False
    assert lab.move("--to", "mig", "--mig-config", "all-1g.10gb", "--yes").code == 0
    assert lab.offers() == {"nvidia.com/mig-1g.10gb": 14}
    settled(lab)


def test_it_gives_up_where_the_offers_never_come(make: Any) -> None:
    lab = make()
    lab.agents._publish = lambda _: None  # the plugin never comes back
    done = lab.move("--to", "mps", "--yes", timeout="0.2")
    assert done.code == 1
    assert "await offers: not within 0.2 s; gpu-1 stays cordoned" in done.out
    assert Step.AWAIT_OFFERS.value in done.out


@pytest.mark.parametrize(
    ("product", "words", "said"),
    [
        (T4, ("--to", "mig", "--mig-config", "all-1g.10gb"), "have no MIG"),
        (H100, ("--to", "mig", "--mig-config", "all-disabled"), "write --to whole"),
        (H100, ("--to", "migs"), "write whole, time-slicing, mps, mig or a MIG layout"),
        (H100, ("--to", "mps", "--mig-config", "all-1g.10gb"), "for --to mig alone"),
        (H100, ("--undo",), "not on its way"),
    ],
)
def test_what_cannot_be_asked(make: Any, product: str, words: tuple[str, ...], said: str) -> None:
    done = make(product).move(*words, "--yes")
    assert done.code == 2
    assert said in done.err
