"""Parts of pods for the search: ways around the device plugin, and what looks like them but is not.

What a part is, is known from how it was made, not from the code under test: a way carries the
reason that must be given for it to a tenant and to others, a harmless part carries None.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
PIN = {"nvidia.com/mig-1g.10gb.sharing-strategy": "none"}
ASK = {"limits": {"nvidia.com/mig-1g.10gb": "1"}}
FROM = {"secretKeyRef": {"name": "a", "key": "b"}}


@dataclass(frozen=True)
class Part:
    """Fields of a container (any, or its own), spec or metadata, and the reason they must meet.

    `spared` says that it is a way of tenants only; of others it is harmless.
    """

    reason: str | None
    where: str
    fields: Json
    spared: bool = False

    @property
    def of_others(self) -> str | None:
        """The reason that must be given to others."""
        return None if self.spared else self.reason


def _spared(part: Part) -> Part:
    return replace(part, spared=True)


@st.composite
def cased(draw: st.DrawFn, text: str) -> str:
    """The same letters, some of them large."""
    return "".join(c.upper() if draw(st.booleans()) else c.lower() for c in text)


@st.composite
def spelled(draw: st.DrawFn, path: str) -> str:
    """The same path by detours: `..`, `.`, doubled and trailing slashes, /var/run, relative."""
    if path.startswith("/run") and draw(st.booleans()):
        path = "/var" + path
    joints = st.sampled_from(("/", "/", "//", "/./", "/x/../", "/x//.././"))
    steps = [draw(joints) + step for step in path.strip("/").split("/")]
    whole = "".join(steps) + draw(st.sampled_from(("", "/", "//", "/.", "/x/..")))
    return whole.lstrip("/") if draw(st.booleans()) else whole


def doubled(path: str) -> str:
    """The same path with doubled, dotted and trailing slashes."""
    return path.replace("/", "//./") + "/"


def _container(reason: str | None, **fields: Any) -> Part:
    return Part(reason, "container", fields)


def _spec(reason: str | None, **fields: Any) -> Part:
    return Part(reason, "spec", fields)


def _env(reason: str | None) -> Callable[[Json], Part]:
    return lambda variable: _container(reason, env=[variable])


def _volume(reason: str | None) -> Callable[[str], Part]:
    return lambda path: _spec(reason, volumes=[{"name": "v", "hostPath": {"path": path}}])


def _mount(reason: str | None) -> Callable[[str], Part]:
    return lambda path: _container(reason, volumeMounts=[{"name": "v", "mountPath": path}])


def _capability(reason: str | None) -> Callable[[str], Part]:
    return lambda name: _container(reason, securityContext={"capabilities": {"add": [name]}})


def _annotation(reason: str | None) -> Callable[[str], Part]:
    injects = reason == "device_annotations"
    value = "nvidia.com/gpu=all" if injects else "nvidia.com/gpu.product=A100, /dev/fuse"
    return lambda key: Part(reason, "annotations", {key: value})


def _variables(names: tuple[str, ...], values: tuple[str, ...]) -> st.SearchStrategy[Json]:
    literal = st.fixed_dictionaries(
        {"name": st.sampled_from(names), "value": st.sampled_from(values)}
    )
    reference = st.fixed_dictionaries({"name": st.sampled_from(names), "valueFrom": st.just(FROM)})
    return literal | reference


_DEVICES = ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_MIG_CONFIG_DEVICES", "NVIDIA_MIG_MONITOR_DEVICES")
_GATES = ("NVIDIA_GDS", "NVIDIA_NVSWITCH")
_NETWORK_GATES = ("NVIDIA_MOFED", "NVIDIA_GDRCOPY")
_NAMED = ("all", "0", "GPU-1", "void,all", "VOID", "$(A)", "nvidia.com/gpu=all", " ")
_PIPES = ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "CUDA_MPS_CLIENT_PRIORITY")
_CAPABILITIES = ("SYS_ADMIN", "ALL", "BPF", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH")
_OTHER_CAPABILITIES = ("NET_ADMIN", "IPC_LOCK", "SYS_NICE", "SYS_TIME", "NET_RAW")
_PATHS = (
    *("/", "/dev", "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap1", "/dev/char", "/proc"),
    *(
        "/proc/driver/nvidia",
        "/run",
        "/run/nvidia",
        "/run/nvidia/mps",
        "/run/cdi",
        "/etc",
        "/etc/cdi",
    ),
    *("/var", "/var/lib", "/var/lib/kubelet", "/var/lib/kubelet/device-plugins", "/run/containerd"),
    *("/run/crio/crio.sock", "/run/docker.sock", "/run/nri/nri.sock", "/data/../dev/nvidiactl"),
    *("/bin", "/usr/local/bin", "/lib64", "/sbin", "/nix/store", "/opt/bin", "/opt/cni/bin"),
    *("/etc/cron.d", "/etc/passwd", "/root/.ssh", "/boot", "/usr/share", "/opt", "/home", "/mnt"),
    *("/var/lib/k0s", "/run/k0s/containerd.sock", "/var/lib/rancher/rke2/agent", "/run/k3s"),
    *("/var/snap/microk8s/common", "/snap/microk8s/current", "/mnt/stateful_partition/var/lib"),
    *("/mnt/stateful_partition", "/home/kubernetes/bin", "/ostree/deploy", "/sysroot", "/local"),
    *("/local/var/lib/kubelet", "/.bottlerocket/rootfs", "/system/state", "/var/vcap/data"),
    *("/tmp", "/tmp/nvidia-mps", "/var/log/nvidia-mps", "/data/kubelet", "/mnt/0/containerd"),  # noqa: S108
    *("/srv/my.sock", "/var/lib/minikube", "/var/data/criorootstorage", "/var/lib/extensions"),
    *("/sys/bus/pci", "/sys/class/net/eth0", "/proc/sys/kernel", "/var/roothome", "/run/systemd"),
)
_OTHER_PATHS = ("/data", "/mnt/k8s-disks/0", "/devices", "/dev/shm", "/var/log", "/srv/dev")  # noqa: S108
_NETWORK_PATHS = ("/sys", "/proc/sys", "/sys/class/net", "/dev/aperture_devices")
_ANNOTATIONS = (
    *("cdi.k8s.io/a", "nvidia.cdi.k8s.io", "nvidia.cdi.k8s.io/pod", "devices.nri.io/pod"),
    *("nvidia.cdi.k8s.io/container.main", "devices.gke.io/container.main", "any.example/key"),
)
_FOREIGN = (
    *("nvidia.com/gpumem", "nvidia.com/gpu-10gb", "nvidia.com/GRID_T4-1Q", "nvidia.com/pgpu"),
    *("nvidia.com/mig-1c.2g.10gb", "nvidia.com/mig-1g", "nvidia.com/GPU", "volcano.sh/vgpu-number"),
    *("aliyun.com/gpu-mem", "k8s.amazonaws.com/vgpu", "koordinator.sh/gpu-core", "4pd.io/vgpu"),
    *("tencent.com/vcuda-core", "example.com/mig-1g.5gb", "smarter-devices/nvidia0"),
    *("cloud.example.com/A100", "example.com/h100-share"),
)
_SHARING = ("gpu-fraction", "gpu-memory", "gpu-fraction-num-devices", "sharedgpu/gpu_mem")
_TOLERATIONS = (
    {"operator": "Exists"},
    {"key": "gpu-sharing.io/tenant", "operator": "Exists"},
    {"key": "gpu-sharing.io/tenant", "value": "red"},
)

ways = st.one_of(
    _variables(_DEVICES, _NAMED).map(_env("gpu_visibility")),
    _variables(_GATES, ("enabled", "$(A)")).map(_env("gpu_visibility")),
    _variables(_NETWORK_GATES, ("enabled", "$(A)")).map(_env("gpu_direct")),
    _variables(_PIPES, ("", "/tmp/mps")).map(_env("mps_environment")),  # noqa: S108
    _variables(("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT",), ("", "all", "0=1M;")).map(
        _env("mps_environment")
    ),
    st.just(_container("privileged", securityContext={"privileged": True})),
    st.sampled_from(_CAPABILITIES)
    .flatmap(lambda name: cased(name) | cased("CAP_" + name))
    .map(_capability("capabilities")),
    st.sampled_from(("\u017fYS_ADMIN", "SYS_ADMIN\u0430", "SYS_ADM\u0130N", "M\u212aNOD")).map(
        _capability("capabilities")
    ),
    st.sampled_from(_OTHER_CAPABILITIES).map(_capability("capabilities")).map(_spared),
    st.sampled_from(_PATHS).flatmap(spelled).map(_volume("host_path")),
    st.just("/srv/../data").map(_volume("host_path")),
    st.sampled_from(_OTHER_PATHS).map(_volume("host_path")).map(_spared),
    st.sampled_from(_OTHER_PATHS).map(doubled).map(_volume("host_path")).map(_spared),
    st.just(_spec("host_pid", hostPID=True)),
    st.sampled_from(("hostIPC", "hostNetwork")).map(
        lambda name: _spec("host_namespaces", **{name: True})
    ),
    st.sampled_from(("nvidia", "nvidia-cdi", "nvidia-legacy")).map(
        lambda name: _spec("runtime_class", runtimeClassName=name)
    ),
    st.sampled_from(_ANNOTATIONS).flatmap(cased).map(_annotation("device_annotations")),
    st.just(_spec("node_name", nodeName="gpu-1")),
    st.sampled_from(_TOLERATIONS).map(lambda each: _spec("tolerations", tolerations=[each])),
    st.just(_spec("tolerations", tolerations=[{"operator": "Exists", "key": ""}])),
    st.sampled_from(("/run/nvidia-container-devices/all", "/run/nvidia-container-devices"))
    .flatmap(spelled)
    .map(_mount("reserved_mounts")),
    st.just(
        _spec("resource_claims", resourceClaims=[{"name": "a", "resourceClaimTemplateName": "t"}])
    ),
    st.sampled_from(_FOREIGN).map(
        lambda name: _container("foreign_resources", resources={"limits": {name: "1"}})
    ),
    st.sampled_from(_SHARING).map(_annotation("foreign_resources")),
    st.just(Part("gpu_visibility", "own", {"env": [{"name": "CUDA_VERSION", "value": "12.4"}]})),
    st.sampled_from(("", "NVIDIA_", "NVIDIA_VISIBLE_", "CUDA_MPS_", "C")).map(
        lambda prefix: Part("env_from", "own", {"resources": ASK, "envFrom": [{"prefix": prefix}]})
    ),
    st.just(_container("resource_claims", resources={"claims": [{"name": "a"}]})),
    st.sampled_from(("gpu.nvidia.com", "mig.nvidia.com")).map(
        lambda name: _container(
            "resource_claims",
            resources={"limits": {f"deviceclass.resource.kubernetes.io/{name}": "1"}},
        )
    ),
)

_LOOK_ALIKES = (
    *("nvidia_visible_devices", "NVIDIA_VISIBLE_DEVICE\u0405", "NVIDIA\uff3fVISIBLE_DEVICES"),
    *("NVIDIA_VISIBLE_DEVICES\u200b", "XNVIDIA_VISIBLE_DEVICES", "\u0421UDA_MPS_PIPE_DIRECTORY"),
    *("NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_DISABLE_REQUIRE", "PATH"),
)
_LOWER = ("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "0=512M"), ("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "5")
_OTHER_MOUNTS = ("/data", "/dev/shm", "/mps", "/run/secrets")  # noqa: S108
_OTHER_NAMES = (
    *("amd.com/gpu", "gpu.intel.com/i915", "nvidia.com/hostdev", "rdma/hca", "example.com/gp"),
    "example.com/l4lb",
)
_OTHER_KEYS = (
    "my-gpu-fraction",
    "mycdi.k8s.io/a",
    "example.com/cdi.k8s.io",
    "cdi.k8s.io.example.com",
    "a",
)

harmless = st.one_of(
    _variables(_LOOK_ALIKES, _NAMED).map(_env(None)),
    st.sampled_from(("void", "none", "")).map(
        lambda value: _env(None)({"name": "NVIDIA_VISIBLE_DEVICES", "value": value})
    ),
    st.sampled_from(_LOWER).map(lambda pair: _env(None)({"name": pair[0], "value": pair[1]})),
    st.just(_env(None)({"name": "NVIDIA_GDS", "value": "disabled"})),
    st.just(Part(None, "own", {"resources": ASK, "env": [{"name": "CUDA_VERSION", "value": "1"}]})),
    st.sampled_from(
        (
            "amd.com/gpu",
            "gpu.intel.com/i915",
            "nvidia.com/hostdev",
            "rdma/hca",
            "example.com/gp",
            "example.com/l4lb",
        )
    ).map(lambda name: _container(None, resources={"requests": {name: "1"}})),
    st.just(_container(None, envFrom=[{"prefix": "APP_", "configMapRef": {"name": "a"}}])),
    st.just(_container(None, securityContext={"privileged": False, "runAsUser": 0})),
    st.sampled_from(("NET_BIND_SERVICE", "cap_chown", "MKNOD")).map(_capability(None)),
    st.sampled_from(_OTHER_MOUNTS).flatmap(spelled).map(_mount(None)),
    st.just(_spec(None, hostNetwork=False, shareProcessNamespace=True)),
    st.sampled_from(("gvisor", "kata-nvidia")).map(lambda n: _spec(None, runtimeClassName=n)),
    st.sampled_from(_OTHER_KEYS).map(_annotation(None)),
    st.just(_spec(None, tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}])),
    st.just(_spec(None, nodeSelector={"kubernetes.io/hostname": "gpu-1"})),
    st.just(_spec(None, volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "hostPath": None}])),
)
