"""The cluster changes under the webhook: nodes, other webhooks, the API server itself."""

from tests.e2e.installation import Installed
from tests.e2e.user import User, pod, until

H200 = {
    "nvidia.com/gpu.product": "NVIDIA-H200",
    "nvidia.com/gpu.memory": "143771",
    "nvidia.com/gpu.replicas": "1",
    "nvidia.com/gpu.sharing-strategy": "none",
    "nvidia.com/mig.capable": "true",
}
BIG = {"gpu-sharing.io/gpu-memory": "100Gi"}


def test_a_node_that_joins_is_offered_and_one_that_leaves_is_not(user: User, team: str) -> None:
    wish = pod("big", "training", annotations=BIG)
    let_in, printed = user.create(team, wish)
    assert not let_in
    assert "[not_enough_memory]" in printed
    user.cluster.add_gpu_node("h200-1", H200, {"nvidia.com/gpu": 8})
    dry = "--dry-run=server"
    until("the new node is offered", lambda: user.create(team, wish, dry)[0])
    assert user.create(team, wish)[0]
    (found,) = user.running(team, "run=big")
    assert found["spec"]["nodeName"] == "h200-1"
    user.cluster.remove_node("h200-1")
    until("the node is offered no more", lambda: not user.create(team, wish, dry)[0])


def test_a_relabelled_node_means_something_else_at_once(user: User, team: str) -> None:
    user.cluster.add_gpu_node("h200-2", H200, {"nvidia.com/gpu": 8})
    wish = pod("big", "training", annotations=BIG)
    dry = "--dry-run=server"
    until("whole GPUs are offered", lambda: user.create(team, wish, dry)[0])
    shared = ["nvidia.com/gpu.sharing-strategy=time-slicing", "nvidia.com/gpu.replicas=4"]
    user.kubectl("label", "--overwrite", "node", "h200-2", *shared)
    until("they are shares now", lambda: not user.create(team, wish, dry)[0])
    _, printed = user.create(team, wish, dry)
    assert "[not_enough_memory]" in printed
    user.cluster.remove_node("h200-2")


def test_labels_that_vanish_for_a_while_are_remembered(user: User, team: str) -> None:
    user.cluster.add_gpu_node("h200-3", H200, {"nvidia.com/gpu": 8})
    wish = pod("big", "training", annotations=BIG)
    dry = "--dry-run=server"
    until("the node is offered", lambda: user.create(team, wish, dry)[0])
    user.kubectl("label", "node", "h200-3", *(f"{key}-" for key in H200))
    assert user.create(team, wish, dry)[0]
    user.cluster.remove_node("h200-3")
    until("a node that is gone is not", lambda: not user.create(team, wish, dry)[0])


def test_the_api_server_restarts_and_nothing_is_lost(
    installed: Installed, user: User, team: str
) -> None:
    installed.cluster.restart_apiserver()
    assert until(
        "a pod is rewritten",
        lambda: (
            "nvidia.com/mig-1g.5gb"
            in user.create(team, pod("again", "inference"), "--dry-run=server", "-o", "json")[1]
        ),
    )
    user.cluster.add_gpu_node("h200-4", H200, {"nvidia.com/gpu": 8})
    wish = pod("big", "training", annotations=BIG)
    until("the watch goes on", lambda: user.create(team, wish, "--dry-run=server")[0])
    user.cluster.remove_node("h200-4")
