"""The real node: containerd with runc, kubelet, kube-proxy; no container engine is needed."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.e2e.cluster import cgroups, network
from tests.e2e.cluster.control_plane import Site
from tests.e2e.cluster.docker_archive import PAUSE_IMAGE, write_image
from tests.e2e.cluster.kubeconfig import write_kubeconfig
from tests.e2e.cluster.machine import SYSTEM_PATH
from tests.e2e.cluster.service import Service

NAME = "real-node"
LABEL = "gpu-sharing.test/real"
PLUGINS = Path("/usr/lib/cni")
"""Where Debian's containernetworking-plugins are."""


def containerd(site: Site) -> Service:
    """The container runtime, with a pod network of point-to-point links.

    Those need no bridge filtering in the kernel for a pod to reach a Service whose pod is near it.
    """
    directory = site.directory("containerd")
    network_directory = site.directory("cni")
    plugins = [
        {
            "type": "ptp",
            "ipMasq": False,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": network.POD_RANGE}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    conflist = {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}
    (network_directory / "10-pods.conflist").write_text(json.dumps(conflist), encoding="utf-8")
    config = directory / "config.toml"
    config.write_text(_containerd_config(network_directory), encoding="utf-8")
    program = site.programs["containerd"]
    path = f"PATH={program.parent}:{SYSTEM_PATH}"  # it looks for its shim, runc and iptables
    return Service("containerd", site.sandbox, ["env", path, program, f"--config={config}"])


def _containerd_config(network_directory: Path) -> str:
    """Its paths are the usual ones: /run and /var/lib are the node's own (see init.py)."""
    runc = shutil.which("runc", path=SYSTEM_PATH) or "runc"
    return f"""version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{PAUSE_IMAGE}'
[plugins.'io.containerd.cri.v1.runtime']
# Without CAP_SYS_RESOURCE runc fails on the score kubelet asks for: "can't get final child's PID".
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['{PLUGINS}']
conf_dir = '{network_directory}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '{runc}'
SystemdCgroup = false
"""


def load_pause(site: Site) -> None:
    """Give containerd the image that holds a pod's namespaces."""
    archive = site.directory("images") / "pause.tar"
    write_image(archive, site.programs["pause"], PAUSE_IMAGE)
    import_image(site, archive)


def import_image(site: Site, archive: Path) -> None:
    """Load a docker archive where kubelet's images are."""
    site.sandbox.run([site.programs["ctr"], "--namespace=k8s.io", "images", "import", archive])


def tag_image(site: Site, name: str, new_name: str) -> None:
    """One more name for an image."""
    ctr = site.programs["ctr"]
    site.sandbox.run([ctr, "--namespace=k8s.io", "images", "tag", "--force", name, new_name])


def kubelet(site: Site, cgroup: str) -> Service:
    """The node agent, in a cgroup of the cluster's own."""
    cgroups.make(cgroup)
    config = site.sandbox.state / "kubelet.json"
    config.write_text(json.dumps(_kubelet_config(site, cgroup)), encoding="utf-8")
    resolver = site.sandbox.state / "resolv.conf"
    resolver.write_text("# there is no way out of the cluster's network\n", encoding="ascii")
    kubeconfig = write_kubeconfig(site.authority, "kubelet", f"system:node:{NAME}", "system:nodes")
    return site.service(
        "kubelet",
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NAME}",
        f"--node-ip={network.NODE_ADDRESS}",
        f"--node-labels={LABEL}=true",
    )


def _kubelet_config(site: Site, cgroup: str) -> dict[str, Any]:
    serving = site.authority.server("kubelet-serving", (NAME, network.NODE_ADDRESS))
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(site.authority.pair.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "enforceNodeAllocatable": [],
        # A full disk of the machine is not the tests' business.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "0%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "5s",
        "resolvConf": str(site.sandbox.state / "resolv.conf"),
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
    }
    return config


def kube_proxy(site: Site) -> Service:
    """Services by iptables: nftables mode did not route here."""
    kubeconfig = write_kubeconfig(site.authority, "kube-proxy", "system:kube-proxy")
    return site.service(
        "kube-proxy",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NAME}",
        "--proxy-mode=iptables",
        "--iptables-min-sync-period=0s",  # a Service leads somewhere at once, not within a second
        f"--cluster-cidr={network.POD_RANGE}",
        "--conntrack-max-per-core=0",
    )
