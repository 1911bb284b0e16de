"""The same with Helm: upgrade and rollback under traffic, uninstall. After the uninstall of 90."""

import json

import pytest

from tests.e2e import chart
from tests.e2e.cluster.build import builder
from tests.e2e.cluster.settings import NEWEST
from tests.e2e.installation import IMAGE, KINDS, NAMESPACE, REAL, Installed
from tests.e2e.traffic import traffic
from tests.e2e.user import User, limits, pod, until

pytestmark = pytest.mark.usefixtures("pods_only")
REPOSITORY, TAG = IMAGE.rsplit(":", 1)
VALUES = (
    *("--set", f"image.repository={REPOSITORY},image.tag={TAG},image.pullPolicy=Never"),
    *("--set-json", "server.nodeSelector=" + json.dumps(REAL)),
    *("--values", str(chart.CHART.parent / "platforms/openshift.yaml")),
)
RANGE = 1000650000
IDS = f"""
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {{name: ids-of-a-range}}
spec:
  reinvocationPolicy: Never
  matchConstraints:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {NAMESPACE}}}}}
    resourceRules:
    - {{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >-
        Object{{spec: Object.spec{{securityContext: Object.spec.securityContext{{
        runAsUser: {RANGE}, runAsGroup: 0, fsGroup: {RANGE}}}}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {{name: ids-of-a-range}}
spec: {{policyName: ids-of-a-range}}
"""
"""User and group ids of the namespace's range, as OpenShift's restricted-v2 gives them."""
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def helm(installed: Installed, *arguments: str) -> None:
    """Run Helm against the cluster; it must succeed."""
    program = builder(NEWEST).paths(("helm",))["helm"]
    where = ("--namespace", NAMESPACE, "--timeout", "170s")
    done = installed.cluster.in_netns([program, *arguments, *where], seconds=200)
    assert done.returncode == 0, done.stdout + done.stderr


def test_helm_upgrades_and_rolls_back_without_losing_a_review(
    installed: Installed, user: User, team: str
) -> None:
    """Like on OpenShift: Pod Security `restricted` is enforced, and the ids are of a range."""
    chart_path = str(chart.CHART)
    ranged = user.serves("admissionregistration.k8s.io/v1", "mutatingadmissionpolicies")
    if ranged:
        user.kubectl("apply", "-f", "-", data=IDS)
    user.namespace(NAMESPACE, RESTRICTED)
    helm(installed, "install", NAMESPACE, chart_path, "--wait", *VALUES)
    installed.wait_in_force()
    for each in user.get("-n", NAMESPACE, "pods")["items"] if ranged else ():
        assert each["spec"]["securityContext"]["runAsUser"] == RANGE
    with traffic(user, team) as seen:
        until("reviews are answered", lambda: seen.rewritten > 5 or seen.wrong)
        more = ("--set", "replicas=3", "--set-json", 'server.podAnnotations={"new":"yes"}')
        helm(installed, "upgrade", NAMESPACE, chart_path, "--wait", *VALUES, *more)
        installed.rollout()
        helm(installed, "rollback", NAMESPACE, "1", "--wait", "--force-conflicts")
        installed.rollout()
        installed.wait_in_force()
        after = seen.rewritten
        until("reviews are answered after it", lambda: seen.rewritten > after + 5 or seen.wrong)
    assert seen.wrong == []
    helm(installed, "uninstall", NAMESPACE, "--wait")
    for kind in KINDS:
        assert user.cluster.kubectl("get", kind, NAMESPACE).returncode != 0
    if ranged:
        user.kubectl("delete", "-f", "-", data=IDS)
    assert user.create(team, pod("free", "inference"))[0]
    assert limits(user.get("-n", team, "pod", "free")) == {"nvidia.com/gpu": "1"}
