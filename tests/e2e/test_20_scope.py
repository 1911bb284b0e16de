"""Who is called and who is not, by the API server's own count; audit; what the audit log keeps."""

import json

from tests.e2e.installation import Installed
from tests.e2e.user import MODE, Json, User, limits, pod, until

MUTATE, VALIDATE = "mutate.gpu-sharing.io", "validate.gpu-sharing.io"
AUDIT = "mutate.audit.gpu-sharing.io"


def both(installed: Installed) -> tuple[float, float]:
    return installed.calls(MUTATE), installed.calls(VALIDATE)


def test_a_namespace_without_the_label_sees_no_call(installed: Installed, user: User) -> None:
    name = user.namespace("not-opted-in")
    before = both(installed)
    assert user.create(name, pod("gpu", "inference"))[0]
    assert both(installed) == before
    assert limits(user.get("-n", name, "pod", "gpu")) == {"nvidia.com/gpu": "1"}


def test_a_plain_pod_in_an_opted_in_namespace_sees_no_call(
    installed: Installed, user: User, team: str
) -> None:
    before = both(installed)
    assert user.create(team, pod("plain", gpu=None))[0]
    assert both(installed) == before
    assert user.create(team, pod("gpu", "inference"))[0]
    assert both(installed) == (before[0] + 1, before[1] + 1)


def test_kube_system_and_ourselves_are_never_touched(installed: Installed, user: User) -> None:
    before = both(installed)
    for name in ("kube-system", "gpu-sharing"):
        user.kubectl("label", "--overwrite", "namespace", name, f"{MODE}=enforce")
        try:
            flags = ("--dry-run=server",)
            user.create(name, pod("gpu", "inference"), *flags)
        finally:
            user.kubectl("label", "namespace", name, f"{MODE}-")
    assert both(installed) == before


def test_audit_mode_changes_and_refuses_nothing_and_tells(installed: Installed, user: User) -> None:
    name = user.namespace("audited", {MODE: "audit"})
    before = installed.calls(AUDIT), *both(installed)
    let_in, printed = user.create(name, pod("two", "dev", count=2))
    assert let_in
    assert "Warning: audit: would be refused (several_gpus_not_allowed)" in printed
    let_in, printed = user.create(name, pod("one", "inference"))
    assert let_in
    assert "Warning: audit: would get mig (mig_slice)" in printed
    assert limits(user.get("-n", name, "pod", "one")) == {"nvidia.com/gpu": "1"}
    assert (installed.calls(AUDIT), *both(installed)) == (before[0] + 2, before[1], before[2])


def test_the_audit_log_has_the_decision(installed: Installed, user: User, team: str) -> None:
    assert user.create(team, pod("noted", "inference"))[0]
    user.create(team, pod("refused", "dev", count=2))

    def noted() -> list[Json] | None:
        lines = installed.cluster.audit_log.read_text(encoding="utf-8").splitlines()
        entries = (json.loads(line) for line in lines if team in line and MUTATE in line)
        found = [
            e["annotations"] for e in entries if f"{MUTATE}/reason" in e.get("annotations", {})
        ]
        return found if len(found) >= 2 else None

    reasons = {entry[f"{MUTATE}/reason"]: entry for entry in until("audit annotations", noted)}
    assert reasons["mig_slice"][f"{MUTATE}/to"] == "main=nvidia.com/mig-1g.5gb:1"
    assert reasons["mig_slice"][f"{MUTATE}/workload"] == "inference"
    assert "write 1" in reasons["several_gpus_not_allowed"][f"{MUTATE}/decision"]


def test_a_quota_counts_the_rewritten_name(user: User, team: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "slices"},
        "spec": {"hard": {"requests.nvidia.com/mig-1g.5gb": "1"}},
    }
    assert user.create(team, quota)[0]
    until(
        "quota is counted",
        lambda: user.get("-n", team, "resourcequota", "slices").get("status", {}).get("hard"),
    )
    assert user.create(team, pod("first", "inference"))[0]
    let_in, printed = user.create(team, pod("second", "inference"))
    assert not let_in
    assert "exceeded quota: slices" in printed


def test_a_namespace_that_is_labelled_this_moment_is_reviewed_at_once(user: User) -> None:
    labels = {MODE: "enforce", "gpu-sharing.io/tenant": "green"}
    for number in range(5):
        name = user.namespace(f"moment-{number}")
        pairs = [f"{key}={value}" for key, value in labels.items()]
        user.kubectl("label", "namespace", name, *pairs)
        _, printed = user.create(name, pod("shared", gpu="nvidia.com/gpu.shared"))
        let_in = "tenant_needs_isolation" not in printed
        # The API server's own view of the namespace may be older than kubectl's for a moment:
        # then nobody is called. What must not happen is a review that misses the tenant.
        if let_in:
            found = user.get("-n", name, "pod", "shared")
            assert "gpu-sharing.io/strategy" not in found["metadata"]["labels"]


def test_without_the_label_everything_is_as_before(installed: Installed, user: User) -> None:
    name = user.namespace("opted-out", {MODE: "enforce"})
    user.kubectl("label", "namespace", name, f"{MODE}-")

    def untouched() -> bool:
        flags = ("--dry-run=server", "-o", "json")
        let_in, printed = user.create(name, pod("gpu", "inference"), *flags)
        return let_in and "mig-1g.5gb" not in printed

    until("the API server knows that the label is gone", untouched)
