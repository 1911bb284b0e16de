"""Every way around the device plugin is refused: by the webhook, and without it by the backstop."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import chart
from tests.e2e.installation import (
    KINDS,
    NAMESPACE,
    Installed,
    kept_without,
    scaled_to_zero,
    without_backstop,
)
from tests.e2e.user import MODE, Json, User, pod, until

VALIDATE = "validate.gpu-sharing.io"
DRY = "--dry-run=server"


def plain(**spec: Any) -> Json:
    return pod("p", gpu=None, **spec)


def env(name: str, **value: Any) -> Json:
    return {"env": [{"name": name, **value}]}


def labelled(key: str) -> Json:
    made = plain()
    made["metadata"]["labels"][key] = "exclusive"
    return made


def host(path: str) -> Json:
    return plain(volumes=[{"name": "v", "hostPath": {"path": path}}])


def security(**context: Any) -> Json:
    return {"securityContext": context}


FIELD = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
INIT = {"name": "init", "image": "app:1"}
MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}]}
EMPTY = [{"name": "v", "emptyDir": {}}]
# A pod that reaches a GPU which it was not given, and the same pod with one harmless change.
VECTORS: dict[str, tuple[Json, Json]] = {
    "visible-devices": (
        plain(container=env("NVIDIA_VISIBLE_DEVICES", value="all")),
        plain(container=env("NVIDIA_VISIBLE_DEVICES", value="void")),
    ),
    "visible-devices-by-reference": (
        plain(container=env("NVIDIA_VISIBLE_DEVICES", **FIELD)),
        plain(container=env("SOMETHING_ELSE", **FIELD)),
    ),
    "visible-devices-of-an-init-container": (
        plain(initContainers=[INIT | env("NVIDIA_VISIBLE_DEVICES", value="0")]),
        plain(initContainers=[INIT | env("NVIDIA_VISIBLE_DEVICES", value="none")]),
    ),
    "mps-pipe": (
        plain(container=env("CUDA_MPS_PIPE_DIRECTORY", value="/x")),
        plain(container=env("CUDA_CACHE_PATH", value="/x")),
    ),
    "privileged": (
        plain(container=security(privileged=True)),
        plain(container=security(privileged=False)),
    ),
    "sys-admin": (
        plain(container=security(capabilities={"add": ["SYS_ADMIN"]})),
        plain(container=security(capabilities={"add": ["NET_BIND_SERVICE"]})),
    ),
    "all-capabilities": (
        plain(container=security(capabilities={"add": ["ALL"]})),
        plain(container=security(capabilities={"drop": ["ALL"]})),
    ),
    "host-devices": (host("/dev/nvidia0"), host("/data")),
    "host-root": (host("/"), host("/srv")),
    "host-parent": (host("/var/lib"), host("/var/log")),
    "kubelet-sockets": (host("/var/lib/kubelet/device-plugins"), host("/var/lib/models")),
    "containerd-socket": (host("/run/containerd/containerd.sock"), host("/mnt/run")),
    "doubled-slashes": (host("//dev"), host("/device")),
    "device-mount": (
        plain(container=MOUNT, volumes=EMPTY),
        plain(
            container={"volumeMounts": [{"name": "v", "mountPath": "/var/run/mine"}]},
            volumes=EMPTY,
        ),
    ),
    "cdi-annotation": (
        plain(annotations={"cdi.k8s.io/gpu": "nvidia.com/gpu=all"}),
        plain(annotations={"example.com/gpu": "all"}),
    ),
    "nri-annotation": (
        plain(annotations={"nvidia.cdi.k8s.io/pod": "runtime.nvidia.com/gpu=all"}),
        plain(annotations={"cdi.example.com/pod": "x"}),
    ),
}
VECTORS |= {
    "cuda-version-alone": (
        plain(container=env("CUDA_VERSION", value="13.0")),
        plain(container=env("CUDNN_VERSION", value="9.0")),
    ),
    "crio-annotation": (
        plain(annotations={"io.kubernetes.cri-o.Devices": "/dev/fuse,/dev/nvidia0"}),
        plain(annotations={"io.kubernetes.cri-o.Devices": "/dev/fuse"}),
    ),
    "systemd-annotation": (
        plain(annotations={"org.systemd.property.DeviceAllow": "[('char-*', 'rwm')]"}),
        plain(annotations={"org.systemd.properties": "x"}),
    ),
    "mirror-of-nothing": (
        plain(
            annotations={"kubernetes.io/config.mirror": "x"},
            nodeName="a100-mig-1",
            container=security(privileged=True),
        ),
        plain(),
    ),
    "capability-with-prefix": (
        plain(container=security(capabilities={"add": ["CAP_SYS_RAWIO"]})),
        plain(container=security(capabilities={"add": ["CHOWN"]})),
    ),
}
VECTORS["claim-by-name"] = (
    plain(resourceClaims=[{"name": "c", "resourceClaimName": "another-pods"}]),
    plain(),
)
TENANT_VECTORS: dict[str, tuple[Json, Json]] = {
    "runtime-class": (plain(runtimeClassName="nvidia"), plain(runtimeClassName="other")),
    "node-name": (
        plain(nodeName="a100-mig-1"),
        plain(nodeSelector={"kubernetes.io/hostname": "a100-mig-1"}),
    ),
    "label-by-hand": (
        labelled("gpu-sharing.io/strategy"),
        labelled("example.com/strategy"),
    ),
    "tolerates-everything": (
        plain(tolerations=[{"operator": "Exists"}]),
        plain(tolerations=[{"key": "mine", "operator": "Exists"}]),
    ),
    "tolerates-another-tenants-pool": (
        plain(tolerations=[{"key": "gpu-sharing.io/tenant", "value": "red"}]),
        plain(tolerations=[{"key": "gpu-sharing.io/tenant", "value": "blue"}]),
    ),
    "device-class": (
        pod("p", gpu="deviceclass.resource.kubernetes.io/gpu.nvidia.com"),
        pod("p", gpu="example.com/widget"),
    ),
    "host-pid": (plain(hostPID=True), plain(hostPID=False)),
    "host-ipc": (plain(hostIPC=True), plain(hostIPC=False)),
    "host-network": (plain(hostNetwork=True), plain(hostNetwork=False)),
    "claims": (
        plain(resourceClaims=[{"name": "c", "resourceClaimTemplateName": "foreign"}]),
        plain(),
    ),
    "device-class-in-requests": (
        plain(container={"resources": {"requests": {"deviceclass.resource.kubernetes.io/a": "1"}}}),
        plain(container={"resources": {"requests": {"cpu": "1"}}}),
    ),
    "hami": (pod("p", gpu="nvidia.com/gpumem", count=3000), pod("p", gpu="amd.com/gpu")),
    "vgpu-type": (pod("p", gpu="nvidia.com/GRID_T4-1Q"), pod("p", gpu="rdma/hca")),
    "compute-instance": (pod("p", gpu="nvidia.com/mig-1c.2g.10gb"), plain()),
    "kai-fraction": (
        plain(annotations={"gpu-fraction": "0.5"}),
        plain(annotations={"my-fraction": "0.5"}),
    ),
}


def without_host(harmless: Json) -> Json:
    """The same pod for a tenant, who gets no path of the node but those that the policy lists."""
    volumes = harmless["spec"].get("volumes") or ()
    return plain(volumes=EMPTY) if any("hostPath" in each for each in volumes) else harmless


FOR_TENANTS = {
    name: (bad, without_host(harmless))
    for name, (bad, harmless) in (VECTORS | TENANT_VECTORS).items()
}


@pytest.fixture(scope="module")
def blue(installed: Installed) -> str:
    """A tenant's namespace, in a cluster that has the runtime classes of the vectors."""
    for name in ("nvidia", "other"):
        kind = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
        installed.cluster.apply(kind | {"metadata": {"name": name}, "handler": "runc"})
    labels = {MODE: "enforce", "gpu-sharing.io/tenant": "blue"}
    return installed.user.namespace("bypass-blue", labels)


@pytest.fixture(scope="module")
def others(installed: Installed) -> str:
    """A namespace that belongs to no tenant."""
    return installed.user.namespace("bypass-others", {MODE: "enforce"})


def needs(user: User, bad: Json) -> None:
    """Skip a way that this Kubernetes does not have: before 1.34 it drops resource claims."""
    if "resourceClaims" in bad["spec"] and not user.serves("resource.k8s.io/v1", "resourceclaims"):
        pytest.skip("resource claims are served from Kubernetes 1.34 on")


def check(user: User, namespace: str, pair: tuple[Json, Json]) -> str:
    """The bad pod is refused, the good one passes; what was said of the bad one."""
    bad, good = pair
    let_in, printed = user.create(namespace, bad, DRY)
    assert not let_in
    passed, why = user.create(namespace, good, DRY)
    assert passed, why
    return printed


@pytest.mark.parametrize("pair", VECTORS.values(), ids=VECTORS)
def test_a_way_around_is_refused_to_everybody(user: User, others: str, pair: Any) -> None:
    needs(user, pair[0])
    assert "forbidden" in check(user, others, pair).lower()


@pytest.mark.parametrize("pair", FOR_TENANTS.values(), ids=FOR_TENANTS)
def test_a_way_around_is_refused_to_a_tenant(user: User, blue: str, pair: Any) -> None:
    needs(user, pair[0])
    assert "forbidden" in check(user, blue, pair).lower()


@pytest.fixture(scope="class")
def backstop_off(installed: Installed) -> Iterator[None]:
    """Without the backstop, so that the webhook is the only one to refuse."""
    with without_backstop(installed):
        yield


@pytest.mark.usefixtures("backstop_off")
class TestWithoutTheBackstop:
    """Then the webhook is the only one to refuse."""

    @pytest.mark.parametrize("name", VECTORS | TENANT_VECTORS)
    def test_each_way_calls_the_webhook_which_refuses_it(
        self, installed: Installed, blue: str, name: str
    ) -> None:
        bad, _ = (VECTORS | TENANT_VECTORS)[name]
        needs(installed.user, bad)
        before = installed.calls(VALIDATE)
        let_in, printed = installed.user.create(blue, bad, DRY)
        assert installed.calls(VALIDATE) == before + 1
        assert not let_in
        assert f'admission webhook "{VALIDATE}" denied the request' in printed


SEEN = {"configMapRef": {"name": "settings"}}


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (
            (
                pod("p", "inference", container={"envFrom": [SEEN]}),
                pod("p", "inference", container={"envFrom": [SEEN | {"prefix": "APP_"}]}),
            ),
            "env_from",
        ),
    ],
    ids=["env-from-beside-a-gpu"],
)
def test_a_way_around_beside_an_ask_is_refused(
    user: User, blue: str, pair: tuple[Json, Json], code: str
) -> None:
    assert f"[{code}]" in check(user, blue, pair)


def add_ephemeral(user: User, namespace: str, container: Json) -> tuple[bool, str]:
    """Add an ephemeral container to a pod that runs there."""
    found = user.get("-n", namespace, "pod", "host")
    found["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "app:1", **container}]
    path = f"/api/v1/namespaces/{namespace}/pods/host/ephemeralcontainers?dryRun=All"
    done = user.cluster.kubectl("replace", "--raw", path, "-f", "-", data=json.dumps(found))
    return done.returncode == 0, done.stdout + done.stderr


def ephemeral_is_guarded(user: User, namespace: str) -> None:
    """What an ephemeral container may not bring in either."""
    for bad in (
        env("NVIDIA_VISIBLE_DEVICES", value="all"),
        security(privileged=True),
        security(capabilities={"add": ["SYS_ADMIN"]}),
    ):
        let_in, printed = add_ephemeral(user, namespace, bad)
        assert not let_in, printed
    let_in, printed = add_ephemeral(user, namespace, env("A", value="b"))
    assert let_in, printed


@pytest.fixture(scope="module")
def running_pod(installed: Installed, others: str) -> str:
    """A namespace with a pod named `host` that runs."""
    assert installed.user.create(others, pod("host", gpu=None))[0]
    installed.user.running(others, "run=host")
    return others


def test_an_ephemeral_container_brings_nothing_in(user: User, running_pod: str) -> None:
    ephemeral_is_guarded(user, running_pod)


def test_a_plain_pod_calls_nobody(installed: Installed, user: User, others: str) -> None:
    before = installed.calls(VALIDATE)
    harmless = plain(
        container={"env": [{"name": "A", "value": "b"}], "volumeMounts": []},
        volumes=EMPTY,
        tolerations=[{"key": "a", "operator": "Exists"}],
    )
    assert user.create(others, harmless, DRY)[0]
    assert installed.calls(VALIDATE) == before


@pytest.mark.usefixtures("pods_only")
def test_with_every_replica_down_none_gets_through(
    installed: Installed, blue: str, others: str, running_pod: str
) -> None:
    """The webhook configurations are away too, so that the backstop is alone."""
    user = installed.user

    def called() -> bool:
        return "calling webhook" in user.create(others, pod("x", "training"), DRY)[1]

    mutating, validating = KINDS
    with (
        scaled_to_zero(installed),
        kept_without(installed, mutating, NAMESPACE),
        kept_without(installed, validating, NAMESPACE),
    ):
        until("no webhook is called", lambda: not called())
        _none_gets_through(user, blue, others)
        ephemeral_is_guarded(user, running_pod)
        _backstop_follows_the_values(user, blue, others)
    installed.wait_in_force()


def _none_gets_through(user: User, blue: str, others: str) -> None:
    claims = user.serves("resource.k8s.io/v1", "resourceclaims")
    for namespace, vectors in ((others, VECTORS), (blue, FOR_TENANTS)):
        for name, pair in vectors.items():
            if claims or "resourceClaims" not in pair[0]["spec"]:
                assert "ValidatingAdmissionPolicy" in check(user, namespace, pair), name
    for namespace in (blue, others):
        for asked in ("nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-1g.5gb"):
            let_in, printed = user.create(namespace, pod("gpu", "inference", gpu=asked), DRY)
            assert not let_in, asked
            assert "[not_rewritten]" in printed


BACKSTOP = ("-s", "templates/80-backstop.yaml")


def _backstop_follows_the_values(user: User, blue: str, others: str) -> None:
    """The policy's treatments, the exempt users and the profile, each after the other."""
    bad, _ = VECTORS["privileged"]
    unpinned = pod("gpu", "inference")

    def let_in(namespace: str, made: Json, *flags: str) -> bool:
        return user.create(namespace, made, DRY, *flags)[0]

    user.cluster.apply(chart.template(*BACKSTOP, "--set", "policy.guards.privileged=warn"))
    until("privileged is only warned of", lambda: let_in(others, bad) and let_in(blue, bad))
    assert not let_in(others, VECTORS["all-capabilities"][0])
    user.cluster.apply(chart.template(*BACKSTOP, "--set", "profile=available"))
    until("available lets GPU pods in", lambda: let_in(others, unpinned))
    assert not let_in(blue, unpinned)
    assert not let_in(others, bad)
    user.cluster.apply(chart.template(*BACKSTOP, "--set", "policy.exemptUsers={admin}"))
    until("the exempt user is let in", lambda: let_in(blue, bad) and let_in(blue, unpinned))
    user.cluster.apply(chart.template(*BACKSTOP))
    until("the backstop is as before", lambda: not let_in(others, unpinned))


def test_an_old_pod_that_is_bad_can_still_be_labelled(user: User) -> None:
    name = user.namespace("was-free")
    assert user.create(name, VECTORS["visible-devices"][0])[0]
    user.kubectl("label", "namespace", name, f"{MODE}=enforce")
    until(
        "the namespace is reviewed",
        lambda: not user.create(name, pod("n") | VECTORS["visible-devices"][0], DRY)[0],
    )
    user.kubectl("-n", name, "label", "pod", "p", "touched=yes")
    annotation = "cdi.k8s.io/gpu=nvidia.com/gpu=all"
    done = user.cluster.kubectl("-n", name, "annotate", "pod", "p", annotation)
    assert done.returncode != 0
    assert "[device_annotations]" in done.stderr


def test_only_who_may_opts_a_namespace_in_or_out(user: User) -> None:
    name = user.namespace("janes", {MODE: "enforce"})
    rule = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "update", "patch"]}
    rbac = "rbac.authorization.k8s.io"
    made = {"apiVersion": f"{rbac}/v1", "metadata": {"name": "edits-namespaces"}}
    subject = {"kind": "User", "name": "jane", "apiGroup": rbac}
    user.cluster.apply([made | {"kind": "ClusterRole", "rules": [rule]}])
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": "edits-namespaces"}
    binding = made | {"kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]}
    user.cluster.apply([binding])
    as_jane = ("--as=jane", "label", "--overwrite", "namespace", name)

    def label(*pairs: str) -> tuple[bool, str]:
        done = user.cluster.kubectl(*as_jane, *pairs)
        return done.returncode == 0, done.stdout + done.stderr

    until("jane may label", lambda: label("team=red")[0])
    refused, printed = label(f"{MODE}-")
    assert not refused
    assert "gpu-sharing-namespace-labels" in printed
    grant = copy.deepcopy(binding)
    grant["metadata"]["name"] = "jane-opts-in"
    grant["roleRef"]["name"] = "gpu-sharing-namespace-labels"
    user.cluster.apply([grant])
    until("jane may opt out", lambda: label(f"{MODE}-")[0])


@pytest.mark.parametrize(
    "pair", [f"{MODE}=enforced", "gpu-sharing.io/workload=Training", "gpu-sharing.io/tenant="]
)
def test_a_label_that_means_nothing_is_refused(user: User, pair: str) -> None:
    name = user.namespace("typo")
    done = user.cluster.kubectl("label", "--overwrite", "namespace", name, pair)
    assert done.returncode != 0
    assert "write " in done.stderr


def test_gpus_are_hidden_from_pods_that_never_reach_the_webhook(
    installed: Installed, user: User, others: str
) -> None:
    if not user.serves("admissionregistration.k8s.io/v1", "mutatingadmissionpolicies"):
        pytest.skip("MutatingAdmissionPolicy is served from Kubernetes 1.36 on")
    text = chart.template("--set", "hideGpus.enabled=true", "-s", "templates/86-hide-gpus.yaml")
    user.cluster.apply(text)
    void = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]

    network = {**INIT, "resources": {"limits": {"nvidia.com/hostdev": "1"}}}

    def hidden() -> bool:
        _, printed = user.create(others, plain(initContainers=[network]), DRY, "-o", "json")
        found, _ = json.JSONDecoder().raw_decode(printed[printed.index("{") :])
        lists = (found["spec"]["containers"], found["spec"]["initContainers"])
        return all(c.get("env") == void for each in lists for c in each)

    until("GPUs are hidden", hidden)
    _, printed = user.create(others, pod("gpu", "training"), DRY, "-o", "json")
    assert "NVIDIA_VISIBLE_DEVICES" not in printed
    user.kubectl("delete", "-f", "-", data=text)
