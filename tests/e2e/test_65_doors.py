"""Doors beside pods: claims, device classes, labels of namespaces, the controller's rights."""

import json
from typing import Any

import pytest

from tests.e2e.installation import KINDS, NAMESPACE, PORT, Installed
from tests.e2e.user import MODE, Json, User, pod, until

DRY = "--dry-run=server"
ADMIN_ACCESS = "resource.kubernetes.io/admin-access"
SLICE = {"deviceClassName": "mig.nvidia.com"}
SHARING = {
    "opaque": {
        "driver": "gpu.nvidia.com",
        "parameters": {
            "apiVersion": "resource.nvidia.com/v1beta1",
            "kind": "GpuConfig",
            "sharing": {"strategy": "TimeSlicing"},
        },
    }
}


def template(*requests: Json, **devices: Any) -> Json:
    named = [{"name": f"r{number}", **each} for number, each in enumerate(requests)]
    spec = {"devices": {"requests": named, **devices}}
    kind = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate"}
    return {**kind, "metadata": {"name": "t"}, "spec": {"spec": spec}}


def exactly(**more: Any) -> Json:
    return {"exactly": {**SLICE, **more}}


def first_of(*choices: Json) -> Json:
    named = [{"name": f"c{number}", **SLICE, **each} for number, each in enumerate(choices)]
    return {"firstAvailable": named}


ALL = {"allocationMode": "All"}
KEPT = {"tolerations": [{"operator": "Exists"}]}
CLAIMS: dict[str, tuple[str, Json]] = {  # the code of the refusal
    "admin-access": ("shared_claims", template(exactly(adminAccess=True))),
    "all": ("resource_claims", template(exactly(**ALL))),
    "all-hidden": ("resource_claims", template(exactly(), first_of({}, ALL))),
    "a-part": (
        "resource_claims",
        template(exactly(capacity={"requests": {"memory": "4Gi"}})),
    ),
    "tolerations": ("resource_claims", template(exactly(**KEPT))),
    "sharing": ("resource_claims", template(exactly(), config=[SHARING])),
}


@pytest.fixture(scope="module")
def blue(installed: Installed) -> str:
    """A tenant's namespace, that the administrator gave access to all devices by mistake."""
    if not installed.user.serves("resource.k8s.io/v1", "resourceclaims"):
        pytest.skip("resource claims are served from Kubernetes 1.34 on")
    labels = {MODE: "enforce", "gpu-sharing.io/tenant": "blue", ADMIN_ACCESS: "true"}
    return installed.user.namespace("doors-blue", labels)


def claim_of(found: Json) -> Json:
    return {**found, "kind": "ResourceClaim", "spec": found["spec"]["spec"]}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_or_template_of_a_tenant_reaches_nothing_of_others(
    user: User, blue: str, name: str
) -> None:
    code, made = CLAIMS[name]
    for each in (made, claim_of(made)):
        let_in, printed = user.create(blue, each, DRY)
        assert not let_in
        assert f"[{code}]" in printed


def test_plain_claims_pass_and_others_are_only_kept_from_admin_access(
    user: User, blue: str, team: str
) -> None:
    for plain in (template(exactly()), template(first_of({}, {})), template()):
        assert user.create(blue, plain, DRY)[0]
    user.kubectl("label", "namespace", team, f"{ADMIN_ACCESS}=true")
    for name, (code, made) in CLAIMS.items():
        let_in, printed = user.create(team, made, DRY)
        assert let_in == (code != "shared_claims"), (name, printed)


def test_a_name_that_a_device_class_gives_is_refused_to_tenants(
    user: User, blue: str, team: str
) -> None:
    selectors = [{"cel": {"expression": "device.driver == 'gpu.nvidia.com'"}}]
    kind = {"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass"}
    for name, resource in (("fast", "example.com/fast"), ("slice", "nvidia.com/mig-1g.5gb")):
        spec = {"selectors": selectors, "extendedResourceName": resource}
        user.cluster.apply([{**kind, "metadata": {"name": name}, "spec": spec}])
    asking = pod("p", gpu="example.com/fast")
    until("the class is known", lambda: "[resource_claims]" in user.create(blue, asking, DRY)[1])
    assert user.create(team, asking, DRY)[0]
    assert user.create(blue, pod("p", "inference", gpu="nvidia.com/mig-1g.5gb"), DRY)[0]
    user.kubectl("delete", "deviceclass", "fast", "slice")


def test_labels_of_a_namespace_are_held_on_every_way_to_them(user: User) -> None:
    name = user.namespace("status-labels", {MODE: "enforce"})
    rbac = "rbac.authorization.k8s.io"
    resources = [f"namespaces{each}" for each in ("", "/status", "/finalize")]
    rule = {"apiGroups": [""], "resources": resources, "verbs": ["get", "update", "patch"]}
    made = {"apiVersion": f"{rbac}/v1", "metadata": {"name": "mary"}}
    subject = {"kind": "User", "name": "mary", "apiGroup": rbac}
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": "mary"}
    user.cluster.apply([made | {"kind": "ClusterRole", "rules": [rule]}])
    user.cluster.apply(
        [made | {"kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]}]
    )

    def write(labels: Json, below: str) -> tuple[bool, str]:
        found = user.get("namespace", name)
        found["metadata"]["labels"] |= labels
        found["metadata"]["labels"] = {k: v for k, v in found["metadata"]["labels"].items() if v}
        path = f"/api/v1/namespaces/{name}{below}?dryRun=All"
        done = user.cluster.kubectl(
            "--as=mary", "replace", "--raw", path, "-f", "-", data=json.dumps(found)
        )
        return done.returncode == 0, done.stdout + done.stderr

    for below in ("", "/status", "/finalize"):
        until(f"mary may write {below}", lambda b=below: write({"team": "red"}, b)[0])  # type: ignore[misc]
        for labels in ({MODE: None}, {"gpu-sharing.io/tenant": "evil"}, {ADMIN_ACCESS: "true"}):
            let_in, printed = write(labels, below)
            assert not let_in, (below, labels)
            assert "namespace-labels" in printed


CONTROLLER = f"--as=system:serviceaccount:{NAMESPACE}:{NAMESPACE}-certificates"
OTHER_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"]}
ANYWHERE = {"url": "https://evil.example.org"}
STOLEN: dict[str, list[Json]] = {
    "rules": [
        {"op": "add", "path": "/webhooks/0/rules/-", "value": OTHER_RULE | {"operations": ["*"]}}
    ],
    "selector": [{"op": "replace", "path": "/webhooks/0/namespaceSelector", "value": {}}],
    "objects": [
        {"op": "add", "path": "/webhooks/0/objectSelector/matchLabels", "value": {"a": "b"}}
    ],
    "conditions": [{"op": "remove", "path": "/webhooks/0/matchConditions"}],
    "url": [{"op": "replace", "path": "/webhooks/0/clientConfig", "value": ANYWHERE}],
    "service": [{"op": "replace", "path": "/webhooks/0/clientConfig/service/path", "value": "/x"}],
    "timeout": [{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 1}],
    "removed": [{"op": "remove", "path": "/webhooks/0"}],
    "annotation": [{"op": "add", "path": "/metadata/annotations/x", "value": "y"}],
    "renamed": [{"op": "replace", "path": "/webhooks/0/name", "value": "evil.gpu-sharing.io"}],
    "reordered": [{"op": "move", "from": "/webhooks/0", "path": "/webhooks/1"}],
    "effects": [{"op": "replace", "path": "/webhooks/0/sideEffects", "value": "None"}],
    "port": [{"op": "replace", "path": "/webhooks/0/clientConfig/service/port", "value": 444}],
    "label": [{"op": "add", "path": "/metadata/labels/x", "value": "y"}],
    "finalizer": [{"op": "add", "path": "/metadata/finalizers", "value": ["a.b/c"]}],
}
KEPT_RIGHTS: dict[str, Json] = {
    "bundle": {"op": "replace", "path": "/webhooks/1/clientConfig/caBundle", "value": "QQ=="},
    "policy": {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"},
}


def patch(user: User, kind: str, operations: list[Json]) -> tuple[bool, str]:
    text = json.dumps(operations)
    done = user.cluster.kubectl(
        CONTROLLER, "patch", kind, NAMESPACE, DRY, "--type=json", "-p", text
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_the_controller_changes_a_bundle_and_our_failure_policy_and_nothing_else(
    user: User, kind: str
) -> None:
    names = [each["name"] for each in user.get(kind, NAMESPACE)["webhooks"]]
    side = "mutate" if kind == KINDS[0] else "validate"
    ours = names.index(f"{side}.gpu-sharing.io")
    audit = f"/webhooks/{names.index(f'{side}.audit.gpu-sharing.io')}/failurePolicy"
    fails = [{"op": "replace", "path": audit, "value": "Fail"}]
    for name, operations in (STOLEN | {"audit-fails": fails}).items():
        let_in, printed = patch(user, kind, operations)
        assert not let_in, (kind, name)
        assert "the certificate controller may" in printed, printed
    for name, each in KEPT_RIGHTS.items():
        moved = each | {"path": each["path"].replace("/0/", f"/{ours}/")}
        assert patch(user, kind, [moved])[0], (kind, name)


def test_a_review_is_answered_to_the_api_server_only(installed: Installed, team: str) -> None:
    pods = installed.user.get("-n", NAMESPACE, "pods", "-l", "app.kubernetes.io/component=server")
    addresses = installed.addresses or [each["status"]["podIP"] for each in pods["items"]]
    calls = installed.calls("mutate.gpu-sharing.io")
    assert installed.user.create(team, pod("p", "inference"), DRY)[0]
    assert installed.calls("mutate.gpu-sharing.io") > calls
    headers = ("-H", "Content-Type: application/json", "-d", "{}")
    url = f"https://{addresses[0]}:{PORT}"
    for path, status in (("/validate", "403"), ("/livez", "200")):
        command = ("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}")
        asked = headers if path == "/validate" else ()
        assert installed.cluster.in_netns([*command, *asked, url + path]).stdout == status
