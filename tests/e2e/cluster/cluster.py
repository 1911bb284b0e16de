"""A running cluster, as tests and the demo use it."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.cluster import control_plane, docker_archive, node
from tests.e2e.cluster.control_plane import Site
from tests.e2e.cluster.errors import NotReadyError
from tests.e2e.cluster.gpu_nodes import gpu_node
from tests.e2e.cluster.servers import Servers, routed_service
from tests.e2e.cluster.service import Service

Result = subprocess.CompletedProcess[str]
FULL = "full"
CONTROL_PLANE_ONLY = "control plane only"


@dataclass(slots=True)
class Cluster:
    """One cluster; it ends with the context manager that made it."""

    site: Site
    kubeconfig: Path
    api_server: Service
    servers: Servers
    node_kind: str
    """FULL: a kubelet runs pods; CONTROL_PLANE_ONLY: kwok plays every node."""
    node_reason: str = ""
    """Why there is no real node."""

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, one JSON object a line."""
        return control_plane.audit_log(self.site.sandbox.state)

    @property
    def logs(self) -> Path:
        """The directory of the logs of every part."""
        return self.site.sandbox.state / "logs"

    def kubectl(self, *arguments: str, data: str | None = None, seconds: float = 120) -> Result:
        """Run kubectl as the cluster's admin; whether it succeeded is in the result."""
        return self.in_netns(
            [self.site.programs["kubectl"], *arguments], data=data, seconds=seconds
        )

    def in_netns(
        self, command: Sequence[str | Path], *, data: str | None = None, seconds: float = 120
    ) -> Result:
        """Run a command inside the cluster's network, with KUBECONFIG set."""
        return subprocess.run(
            self.netns_command(command),
            input=data,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def netns_command(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs a command inside the cluster's network, for a Popen."""
        named = ["env", f"KUBECONFIG={self.kubeconfig}", *command]
        return self.site.sandbox.in_network(named)

    def apply(self, objects: str | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Result:
        """Apply YAML, an object or several; raise with what kubectl said if it fails."""
        return self._succeed("apply", "-f", "-", data=_as_text(objects))

    def load_image(self, archive: Path, name: str) -> None:
        """Give the real node an image under this name, from a docker archive."""
        node.import_image(self.site, archive)
        for known in docker_archive.names(archive):
            if known != name:
                node.tag_image(self.site, known, name)

    def restart_apiserver(self) -> None:
        """Stop the API server, start it again, and wait until it is ready.

        Asked to end it waits a minute for its clients' connections: it is not given that long.
        """
        self.api_server.stop(seconds=2)
        self.api_server.start()
        self.wait_for_api()

    def wait_for_api(self) -> None:
        """Wait until the API server says that it is ready, and its Service leads to it."""
        slices = ["get", "endpointslices", "--namespace=default", "--output=jsonpath={..addresses}"]
        slices += ["--selector=kubernetes.io/service-name=kubernetes"]

        def is_ready() -> bool:
            readiness = self.kubectl("get", "--raw=/readyz")
            return readiness.returncode == 0 and self.kubectl(*slices).stdout != ""

        self.api_server.wait_until(is_ready, seconds=120, what="the API server is ready")

    def add_gpu_node(
        self,
        name: str,
        labels: Mapping[str, str],
        allocatable: Mapping[str, str | int],
        taints: Iterable[Mapping[str, str]] = (),
    ) -> None:
        """Add a fake node with these GPUs and wait until it is Ready."""
        self.apply(gpu_node(name, labels, allocatable, taints))
        self._succeed("wait", "--for=condition=Ready", f"node/{name}", "--timeout=30s")

    def remove_node(self, name: str) -> None:
        """Remove a node and, at once, the pods on it."""
        on_it = f"--field-selector=spec.nodeName={name}"
        self._succeed("delete", "node", name)
        self._succeed("delete", "pods", "--all-namespaces", on_it, "--force", "--grace-period=0")

    def run_server(self, command: Sequence[str | Path], port: int) -> str:
        """Run a server as a process beside the cluster; return the address it got.

        `{address}` in the command stands for that address. See `expose`.
        """
        return self.servers.run(command, port)

    def stop_server(self, address: str) -> None:
        """End such a server."""
        self.servers.stop(address)

    def expose(
        self, namespace: str, name: str, ports: tuple[int, int], ready: dict[str, bool]
    ) -> None:
        """Let a Service (port, target port) lead to such servers: address to readiness."""
        self.apply(routed_service(namespace, name, ports, ready))

    def _succeed(self, *arguments: str, data: str | None = None) -> Result:
        done = self.kubectl(*arguments, data=data)
        if done.returncode != 0:
            raise NotReadyError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done


def _as_text(objects: str | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> str:
    """YAML as it is; objects as JSON, several as a List."""
    if isinstance(objects, str):
        return objects
    if isinstance(objects, Mapping):
        return json.dumps(objects)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
