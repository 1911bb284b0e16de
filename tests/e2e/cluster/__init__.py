"""A real Kubernetes cluster on a plain machine, for tests and the demo.

    from tests.e2e import cluster

    with cluster.running() as c:
        print(c.kubectl("get", "nodes").stdout)

etcd, API server, controllers, scheduler, and one real node (containerd, runc, kubelet,
kube-proxy), all built from pinned Go modules, all in namespaces of their own; beside it as many
fake GPU nodes as one likes, played by kwok. No container engine and no registry is needed.
`settings` says what may be chosen, `cluster` what a cluster can do, `init` why nothing is left.
"""

from tests.e2e.cluster.cluster import Cluster
from tests.e2e.cluster.image_build import build_image
from tests.e2e.cluster.lifecycle import running
from tests.e2e.cluster.settings import Node, Options, from_environment

__all__ = ["Cluster", "Node", "Options", "build_image", "from_environment", "running"]
