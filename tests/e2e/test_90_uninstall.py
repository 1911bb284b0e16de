"""Uninstalling leaves nothing that blocks a pod. Last: nothing works afterwards."""

from tests.e2e import chart
from tests.e2e.installation import KINDS, NAMESPACE, Installed
from tests.e2e.user import User, limits, pod, until


def test_what_is_deleted_is_gone_and_pods_go_through(
    installed: Installed, user: User, team: str
) -> None:
    user.kubectl("delete", "-f", str(chart.INSTALL), "--ignore-not-found", "--timeout=170s")
    for kind in KINDS:
        assert user.cluster.kubectl("get", kind, NAMESPACE).returncode != 0
    assert user.create(team, pod("free", "inference"))[0]
    assert limits(user.get("-n", team, "pod", "free")) == {"nvidia.com/gpu": "1"}
    until(
        "the namespaces are gone",
        lambda: user.cluster.kubectl("get", "namespace", NAMESPACE).returncode != 0,
    )
