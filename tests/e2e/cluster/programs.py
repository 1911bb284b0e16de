"""The programs a cluster is made of: which Go module of ours pins each, and how it is built."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster.settings import NEWEST, VERSIONS

GO = Path(__file__).parent.parent / "go"
"""The folder of our go.mod files."""

CONTROL_PLANE = (
    "kube-apiserver",
    "etcd",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "kubectl",
)
NODE = ("kubelet", "kube-proxy", "containerd", "containerd-shim-runc-v2", "ctr", "pause")

KUBERNETES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "kube-proxy",
)
CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")

ASSETS = ("kube-apiserver", "etcd", "kubectl")
"""What KUBEBUILDER_ASSETS may bring."""


@dataclass(frozen=True, slots=True)
class Module:
    """One folder with a go.mod, and the flags its programs are built with."""

    folder: Path
    flags: tuple[str, ...]
    packages: dict[str, str]
    """Program name to Go package."""

    def key(self, go_version: str) -> str:
        """Names the directory of the built programs: a change of anything changes it."""
        sources = sorted(self.folder.glob("*.*"))
        parts = [path.read_bytes() for path in sources]
        parts.append("\0".join([go_version, *self.flags]).encode())
        digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
        return f"{self.folder.name}-{digest[:12]}"


def _version_flags(release: str) -> str:
    """Linker flags that tell a Kubernetes program its version; without them it says v0.0.0."""
    major, minor, _ = release.split(".")
    values = {"gitVersion": f"v{release}", "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(
        f"-X {pkg}.{name}={value}" for pkg in packages for name, value in values.items()
    )


def kubernetes(minor: str) -> Module:
    """Everything of one Kubernetes version, with the etcd it requires."""
    return Module(
        GO / f"k8s-{minor}",
        ("-trimpath", "-ldflags", f"-s -w {_version_flags(VERSIONS[minor])}"),
        {
            "etcd": "go.etcd.io/etcd/server/v3",
            **{name: f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES},
        },
    )


def kwok() -> Module:
    """kwok, of any Kubernetes version: it shares what it is built of with the newest."""
    newest = kubernetes(NEWEST)
    return Module(newest.folder, newest.flags, {"kwok": "sigs.k8s.io/kwok/cmd/kwok"})


def cel() -> Module:
    """Our judge of admission expressions, which is of the newest Kubernetes."""
    return Module(GO / "cel", kubernetes(NEWEST).flags, {"cel": "."})


def modules(minor: str) -> tuple[Module, ...]:
    """All modules for one Kubernetes version."""
    containerd = "github.com/containerd/containerd/v2/cmd"
    plain = ("-trimpath", "-ldflags", "-s -w")
    return (
        kubernetes(minor),
        kwok(),
        Module(
            GO / "containerd",
            (*plain, "-tags", "no_btrfs no_devmapper no_zfs"),
            {name: f"{containerd}/{name}" for name in CONTAINERD},
        ),
        Module(GO / "helm", plain, {"helm": "helm.sh/helm/v4/cmd/helm"}),
        Module(GO / "pause", plain, {"pause": "."}),
        Module(GO / "plugin-config", plain, {"plugin-config": "."}),
        cel(),
    )
