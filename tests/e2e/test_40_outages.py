"""Rollouts lose no review; with every replica gone the profile decides; certificates heal."""

import json

import pytest

from tests.e2e.installation import NAMESPACE, Installed, scaled_to_zero, without_backstop
from tests.e2e.traffic import traffic
from tests.e2e.user import User, limits, pod, until

pytestmark = pytest.mark.usefixtures("pods_only")
CONFIGURATIONS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")


def test_a_restart_of_all_replicas_loses_no_review(
    installed: Installed, user: User, team: str
) -> None:
    with traffic(user, team) as seen:
        until("reviews are answered", lambda: seen.rewritten > 5 or seen.wrong)
        user.kubectl("-n", NAMESPACE, "rollout", "restart", f"deployment/{NAMESPACE}")
        installed.rollout()
        after = seen.rewritten
        until("reviews are answered after it", lambda: seen.rewritten > after + 5 or seen.wrong)
    assert seen.wrong == []


def test_an_upgrade_that_cannot_start_leaves_the_old_replicas_serving(
    installed: Installed, user: User, team: str
) -> None:
    """A memory limit far too small: the new pod is killed, the old ones stay."""
    where = ("-n", NAMESPACE, "deployment", NAMESPACE)
    tiny = [
        {"op": "replace", "path": "/spec/template/spec/containers/0/resources",
         "value": {"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}}}
    ]  # fmt: skip
    user.kubectl("patch", *where, "--type=json", "-p", json.dumps(tiny))
    try:
        until("the new pod dies", lambda: _restarts(user) > 0)
        for _ in range(5):
            flags = ("--dry-run=server", "-o", "json")
            assert "mig-1g.5gb" in user.create(team, pod("on", "inference"), *flags)[1]
    finally:
        user.kubectl("rollout", "undo", *where[:2], f"deployment/{NAMESPACE}")
        installed.rollout()


def _restarts(user: User) -> int:
    selector = ("-l", "app.kubernetes.io/component=server")
    pods = user.get("-n", NAMESPACE, "pods", *selector)["items"]
    statuses = (s for p in pods for s in p["status"].get("containerStatuses", ()))
    return sum(s["restartCount"] + ("terminated" in s["state"]) for s in statuses)


def test_with_every_replica_gone_strict_refuses_gpu_pods_and_nothing_else(
    installed: Installed, user: User, team: str
) -> None:
    assert set(installed.policies().values()) == {"Fail", "Ignore"}
    with scaled_to_zero(installed):
        let_in, printed = user.create(team, pod("gpu", "inference"))
        assert not let_in
        assert "failed calling webhook" in printed
        assert user.create(team, pod("plain", gpu=None))[0]
        other = user.namespace("elsewhere")
        assert user.create(other, pod("gpu", "inference"))[0]


def test_with_every_replica_gone_available_lets_pods_through_as_they_are(
    installed: Installed, user: User, team: str
) -> None:
    """But for the pods of tenants, which the backstop of this profile keeps out."""
    before = installed.policies()
    _configure(user, "Ignore")
    try:
        until("Ignore is in force", lambda: set(installed.policies().values()) == {"Ignore"})
        with scaled_to_zero(installed), without_backstop(installed):
            assert user.create(team, pod("open", "inference"))[0]
        assert limits(user.get("-n", team, "pod", "open")) == {"nvidia.com/gpu": "1"}
    finally:
        _configure(user, "Fail")
    until("Fail is in force again", lambda: installed.policies() == before)


def _configure(user: User, policy: str) -> None:
    """What another `profile` of the chart writes; the controller brings it into force."""
    for kind, name in zip(CONFIGURATIONS, ("mutate", "validate"), strict=True):
        wanted = json.dumps({f"{name}.gpu-sharing.io": policy})
        annotation = f"gpu-sharing.io/failure-policies={wanted}"
        user.kubectl("annotate", "--overwrite", kind, NAMESPACE, annotation)


def test_a_damaged_ca_bundle_heals_within_a_minute(user: User, team: str) -> None:
    where = ("mutatingwebhookconfiguration", NAMESPACE)
    bad = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": ""}]
    user.kubectl("patch", *where, "--type=json", "-p", json.dumps(bad))
    until("caBundle is back", lambda: _works(user, team), seconds=60)


def test_a_deleted_secret_heals_within_a_minute_and_no_review_fails(user: User, team: str) -> None:
    with traffic(user, team) as seen:
        user.kubectl("-n", NAMESPACE, "delete", "secret", f"{NAMESPACE}-tls")
        get = ("-n", NAMESPACE, "get", "secret", f"{NAMESPACE}-tls")
        until("the Secret is back", lambda: user.cluster.kubectl(*get).returncode == 0, seconds=60)
        after = seen.rewritten
        until("reviews are answered", lambda: seen.rewritten > after + 5 or seen.wrong)
    assert seen.wrong == []


def _works(user: User, team: str) -> bool:
    flags = ("--dry-run=server", "-o", "json")
    return "mig-1g.5gb" in user.create(team, pod("on", "inference"), *flags)[1]


def test_the_log_has_a_line_for_each_review(user: User, team: str) -> None:
    assert user.create(team, pod("logged", "inference"))[0]
    selector = ("-l", "app.kubernetes.io/component=server", "--tail=-1")

    def line() -> str | None:
        lines = user.kubectl("-n", NAMESPACE, "logs", *selector).splitlines()
        return next((x for x in lines if '"owner":"logged"' in x and '"side":"mutate"' in x), None)

    found = json.loads(until("the line of the review", line))
    assert found["namespace"] == team
    assert found["containers"][0]["to"] == {"nvidia.com/mig-1g.5gb": 1}
