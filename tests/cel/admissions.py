"""Admissions for the differential test: pods of all that checks look at, spelled oddly."""

from typing import Any

from hypothesis import strategies as st

from tests.cel.protocol import Case, Json

_FROM = {"secretKeyRef": {"name": "a", "key": "b"}}
_NAMES = (
    *("NVIDIA_VISIBLE_DEVICES", "NVIDIA_IMEX_CHANNELS", "NVIDIA_GDS", "NVIDIA_MOFED", "PATH"),
    *("NVIDIA_GDRCOPY", "NVIDIA_NVSWITCH"),
    *("CUDA_VERSION", "CUDA_VISIBLE_DEVICES", "CUDA_MPS_PIPE_DIRECTORY", "nvidia_gds"),
    *("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"),
)
_VALUES = (
    *("", "void", "none", "all", "VOID", "enabled", "dis-ENABLED", "x$(A)y", "$(X)", "10", "10.5"),
    *("0=1M", "0=1M\n", "0=1G,1=2M", "0=1M;", "\u0663", "1000", " "),
)
_ENV = st.builds(
    lambda name, value, source: {"name": name} | value | source,
    st.sampled_from(_NAMES),
    st.sampled_from([{}, *({"value": each} for each in _VALUES)]),
    st.sampled_from([{}, {}, {}, {"valueFrom": _FROM}]),
)
_PREFIXES = ("", "N", "NVIDIA_", "NVIDIA_VISIBLE", "CUDA", "CUDA_MPS", "APP_", "n")
_ENV_FROM = st.sampled_from(
    [{"configMapRef": {"name": "a"}}, *({"prefix": each} for each in _PREFIXES)]
)
_CAPABILITIES = st.sampled_from(
    (
        *("SYS_ADMIN", "\u017fYS_ADMIN", "CAP_CAP_SYS_ADMIN", "SYS_CAP_ADMIN", " sys_admin\t"),
        *("cap_MKNOD", "MKNOD\n", "\u00a0ALL", "M\u212aNOD", "SYS_ADM\u0130N", "NET_ADMIN", ""),
        *("DAC_READ_SEARCH\v", "ALL", "\x1cALL", "CAP_", "SYS_ADMINS", "SYS_PTRACE", "IPC_LOCK"),
        *("chown", "CAP_MKNOD", "cap_sys_ptrace", "BPF", "NET_BIND_SERVICE", "\u017fETUID"),
    )
)
_PATHS = (
    *("/", "/dev", "/dev/shm", "/dev/shm/a", "/dev/net/tun", "/dev/nvidia0", "/devices", "/proc"),  # noqa: S108
    *("/run", "/run/nvidia", "/run/nvidia-fabricmanager", "/run/cdi", "/run/nrix", "/etc", "/opt"),
    *("/var", "/var/lib", "/var/lib/kubelet/x", "/var/log", "/usr/local", "/usr/local/nvidia"),
    *(
        "/data",
        "/run/nvidia-container-devices",
        "/run/nvidia-container-devices/all",
        "/mps",
        "/home",
    ),
    *("/data/nvidia-container-devices", "/mps/log", "/srv/mps", "/run/docker.sock", "/run/dbusx"),
    *("/sys", "/proc/sys", "/sys/class/net", "/sys/bus", "/home/kubernetes/bin/nvidia"),
    *("/data/kubelet", "/data/kubelets", "/srv/a.sock", "/srv/a.socks", "/mnt", "/opt/bin", "/nix"),
    *("/dev/infiniband", "/dev/aperture_devices", "/etc/localtime", "/usr/share/zoneinfo", "/tmp"),  # noqa: S108
)
_SPELLINGS = st.sampled_from(
    (
        *(("/", "/"), ("/", "/"), ("/", "/"), ("/", "//"), ("/", "/./"), ("/", "/x/../")),
        *(("/run", "/var/run"), ("/run", "/var//run"), ("/run", "/var/./run")),
    )
)
_ENDS = st.sampled_from(("", "", "", "/", "/.", "/..", "//./", " ", "\n", "/...", "\u2003"))
_BEGINNINGS = st.sampled_from(("", "", "", "/", " ", "./", "../", "\u2003", "/../"))
_SPELLED = st.builds(
    lambda path, spelling, beginning, end: beginning + path.replace(*spelling) + end,
    st.sampled_from(_PATHS) | st.sampled_from([each[1:] for each in _PATHS]),
    _SPELLINGS,
    _BEGINNINGS,
    _ENDS,
)
_RESOURCES = (
    *("nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-1g.5gb", "nvidia.com/mig-odd"),
    *("nvidia.com/mig-1g.5gb.shared", "deviceclass.resource.kubernetes.io/a", "nvidia.com/pgpu"),
    *(
        "cpu",
        "example.org/nvidia.com",
        "nvidia.com/gpumem",
        "volcano.sh/vgpu-number",
        "amd.com/gpu",
    ),
    *("nvidia.com/GPU", "example.org/mig-1g.5gb", "amd.com/gpu", "nvidia.com/hostdev"),
)
_AMOUNTS = st.sampled_from(("0", "0m", "0.0", "1", "1", "1", "1000m", "500m", "-1", "2", 0, 1))
_AMOUNT_MAPS = st.dictionaries(st.sampled_from(_RESOURCES), _AMOUNTS, max_size=2)
_CONTAINER = st.fixed_dictionaries(
    {},
    optional={
        "env": st.lists(_ENV, max_size=3),
        "envFrom": st.lists(_ENV_FROM, max_size=2),
        "securityContext": st.fixed_dictionaries(
            {},
            optional={
                "privileged": st.booleans(),
                "capabilities": st.fixed_dictionaries(
                    {}, optional={"add": st.lists(_CAPABILITIES, max_size=2)}
                ),
            },
        ),
        "volumeMounts": st.lists(
            st.builds(
                lambda path, name, more: {"name": name, "mountPath": path} | more,
                _SPELLED,
                st.sampled_from("vw"),
                st.sampled_from(({}, {"readOnly": True}, {"readOnly": False})),
            ),
            max_size=2,
        ),
        "resources": st.fixed_dictionaries(
            {},
            optional={
                "limits": _AMOUNT_MAPS,
                "requests": _AMOUNT_MAPS,
                "claims": st.lists(st.just({"name": "a"}), max_size=1),
            },
        ),
    },
)


def _containers(least: int) -> st.SearchStrategy[list[Json]]:
    return st.lists(_CONTAINER, min_size=least, max_size=2).map(
        lambda made: [{"name": f"c{number}", **each} for number, each in enumerate(made)]
    )


_LISTS = ("containers", "initContainers")
_SHARING = "nvidia.com/gpu.sharing-strategy"


_PRODUCTS = ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "NVIDIA-A100-SXM4-40GB")


def _term(operator: str, *values: str, key: str = _SHARING) -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def _both(*terms: Json) -> Json:
    """A term with the expressions of several."""
    return {"matchExpressions": [each for term in terms for each in term["matchExpressions"]]}


_TERMS = st.sampled_from(
    (
        *([_term("In", "mps")], [_term("NotIn", "mps")], [_term("In", "mps", "none")]),
        *([_term("In", "mps"), {}], [_term("In", "mps"), _term("In", "none")], [{}], []),
        [_both(_term("In", "mps", "a"), _term("In", "mps", "b"))],
        [_both(_term("In", "none"), _term("DoesNotExist", key="nvidia.com/gpu.slices.gi"))],
        [_both(_term("In", "none"), _term("In", *_PRODUCTS[:1], key="nvidia.com/gpu.product"))],
        [_both(_term("In", "none"), _term("In", *_PRODUCTS, key="nvidia.com/gpu.product"))],
        [_term("In", "none", key="nvidia.com/mig-1g.5gb.sharing-strategy")],
        [_term("In", "time-slicing", key="nvidia.com/mig-1g.5gb.sharing-strategy")],
        [_both(_term("In", "none"), _term("In", "blue", key="gpu-sharing.io/tenant"))],
        [_both(_term("In", "mps"), _term("In", "red", key="gpu-sharing.io/tenant"))],
        [_term("In", "blue", "red", key="gpu-sharing.io/tenant")],
        [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}],
    )
)
_KEYS = (
    *("cdi.k8s.io", "nvidia.cdi.k8s.io/a", "CDI.K8S.IO/a", "cdi.\u212a8s.io", "mycdi.k8s.io"),
    *("devices.nri.io/pod", "mounts.noderesource.dev", "cdi-devices.nri.io", "xdevices.nri.io"),
    *("gpu-fraction", "gpu-memory", "x-gpu-memory", "kai.scheduler/gpu-x", "run.ai/y"),
    *("io.kubernetes.cri-o.Devices", "devices.crio.io/c", "devices.crio.iox", "a"),
    *("devices.gke.io/container.c", "kubectl.kubernetes.io/last-applied-configuration"),
)
_LISTED = (
    "",
    "/dev/fuse",
    "/dev/nvidia0:/dev/x:rwm",
    "/dev/fuse, /dev/net/tun",
    "/data,",
    "/dev/..",
    *("- path: /dev/fuse\n", "- path: /dev/fuse\n  major: 195\n", "- path: /dev/nvidia0\n"),
    *("/dev/infiniband/uverbs0", "see nvidia.com/gpu=0", "nvidia.com/gpu.product=A100"),
    *("/dev//./dri/card0", "x/nvidiactl", "/dev/sda", "/dev/fuse:/dev/nvidia0:rwm", "gpu: 1"),
)
_ANNOTATIONS = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_LISTED), max_size=2)
_TOLERATION = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(("", "gpu-sharing.io/tenant", "nvidia.com/gpu")),
        "operator": st.sampled_from(("", "Exists", "Equal")),
        "value": st.sampled_from(("", "blue", "red")),
    },
)
_LABELS = st.fixed_dictionaries(
    {},
    optional={
        "gpu-sharing.io/tenant": st.sampled_from(("blue", "red", "")),
        "gpu-sharing.io/workload": st.sampled_from(("dev", "tenant", "training", "odd")),
        "gpu-sharing.io/strategy": st.sampled_from(("mps", "mig", "mixed", "")),
        "ray.io/serve": st.just("x"),
        "app.kubernetes.io/part-of": st.sampled_from(("llminferenceservice", "x")),
    },
)
_VOLUME = st.sampled_from([{"emptyDir": {}}]) | _SPELLED.map(
    lambda path: {"hostPath": {"path": path}}
)
_SPEC: dict[str, st.SearchStrategy[Any]] = {
    "initContainers": _containers(0),
    "ephemeralContainers": _containers(0),
    "volumes": st.tuples(_VOLUME, _VOLUME).map(
        lambda made: [{"name": name, **each} for name, each in zip("vw", made, strict=True)]
    ),
    "hostPID": st.booleans(),
    "hostIPC": st.booleans(),
    "hostNetwork": st.booleans(),
    "runtimeClassName": st.sampled_from(("", "nvidia", "NVIDIA-cdi", "kata", "nv\u0130dia")),
    "nodeName": st.sampled_from(("", "a")),
    "tolerations": st.lists(_TOLERATION, max_size=2),
    "resourceClaims": st.lists(
        st.sampled_from(
            (
                {"name": "a"},
                {"name": "a", "resourceClaimName": "b"},
                {"name": "a", "resourceClaimTemplateName": "b"},
            )
        ),
        max_size=2,
    ),
    "nodeSelector": st.sampled_from(({}, {}, {}, {_SHARING: "mps"}, {_SHARING: "none"})),
    "affinity": _TERMS.map(
        lambda terms: {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}
            }
        }
    ),
}


@st.composite
def _pods(draw: st.DrawFn) -> Json:
    """A pod with few fields of many, so that one check's finding does not hide another's."""
    fields = draw(st.lists(st.sampled_from(sorted(_SPEC)), max_size=3, unique=True))
    spec = {"containers": draw(_containers(0))} | {name: draw(_SPEC[name]) for name in fields}
    about: Json = {"name": "p", "namespace": "n", "labels": draw(_LABELS)}
    if draw(st.booleans()):
        about["annotations"] = draw(_ANNOTATIONS)
    return {"metadata": about, "spec": spec}


@st.composite
def _requesting(draw: st.DrawFn) -> Json:
    """A pod with one request, placed somehow, as pods are that were rewritten."""
    resources = {"limits": {draw(st.sampled_from(_RESOURCES[:5])): "1"}}
    container = draw(_CONTAINER) | {"name": "c", "resources": resources}
    spec: Json = {"containers": []} | {draw(st.sampled_from(_LISTS)): [container]}
    more = draw(st.lists(st.sampled_from(sorted(_SPEC)), max_size=1))
    spec |= {name: draw(_SPEC[name]) for name in ("affinity", "nodeSelector", *more)}
    about: Json = {"name": "p", "namespace": "n", "labels": draw(_LABELS)}
    if draw(st.booleans()):
        about["annotations"] = draw(_ANNOTATIONS)
    return {"metadata": about, "spec": spec}


_NAMESPACE_LABELS = st.sampled_from(
    (
        *({}, {}, {"gpu-sharing.io/tenant": "blue"}, {"gpu-sharing.io/workload": "tenant"}),
        *({"gpu-sharing.io/tenant": ""}, {"gpu-sharing.io/workload": "dev"}),
    )
)


@st.composite
def admissions(draw: st.DrawFn) -> Case:
    """A pod that is created or changed, or to which ephemeral containers are added."""
    operation = draw(st.sampled_from(("CREATE", "CREATE", "UPDATE", "ephemeralcontainers")))
    labels = draw(_NAMESPACE_LABELS)
    namespace: Json = {"metadata": {"name": "n", "labels": labels}}
    pod = draw(_pods() | _requesting())
    if operation == "CREATE":
        return Case(pod, operation, namespace=namespace)
    if operation == "UPDATE":
        return Case(draw(_changed(pod)), operation, pod, namespace)
    spec, added = pod["spec"], draw(_CONTAINER)
    added.pop("resources", None)  # which Kubernetes refuses in ephemeral containers
    more = [*spec.get("ephemeralContainers", ()), {**added, "name": "added"}]
    new = {**pod, "spec": {**spec, "ephemeralContainers": draw(st.permutations(more))}}
    return Case(new, "UPDATE", pod, namespace, {"subResource": operation})


@st.composite
def _changed(draw: st.DrawFn, pod: Json) -> Json:
    """The pod with what Kubernetes lets change: labels, annotations, more tolerations."""
    about, spec = dict(pod["metadata"]), dict(pod["spec"])
    about["labels"] = draw(st.just(about["labels"]) | _LABELS)
    old = about.get("annotations", {})
    about["annotations"] = old | draw(_ANNOTATIONS) if draw(st.booleans()) else draw(_ANNOTATIONS)
    more = draw(st.lists(_TOLERATION, max_size=2))
    spec["tolerations"] = [*spec.get("tolerations", ()), *more]
    return {**pod, "metadata": about, "spec": spec}
