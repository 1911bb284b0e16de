"""Servers that are plain processes, reached through a Service: what stands in for webhook pods.

A Service without selector and an EndpointSlice of our making route to an address in the
cluster's network; loopback addresses are refused there, so each server gets one of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from tests.e2e.cluster import network
from tests.e2e.cluster.sandbox import Sandbox
from tests.e2e.cluster.service import Service

FIRST_ADDRESS = IPv4Address("10.89.1.1")
ADDRESS = "{address}"
"""Stands for the server's address in its command line."""

LISTENING = "0A"


@dataclass(slots=True)
class Servers:
    """The servers of one cluster by address."""

    sandbox: Sandbox
    _services: dict[str, Service] = field(default_factory=dict)

    def run(self, command: Sequence[str | Path], port: int) -> str:
        """Start a server on an address of its own; return the address when it listens."""
        address = str(FIRST_ADDRESS + len(self._services))
        network.add_address(self.sandbox, address)
        line = [str(part).replace(ADDRESS, address) for part in command]
        service = Service(f"server-{address}", self.sandbox, line)
        self._services[address] = service
        service.start()
        service.wait_until(
            lambda: listens(self.sandbox, address, port),
            seconds=60,
            what=f"{line[0]} listens on {address}:{port}",
        )
        return address

    def stop(self, address: str) -> None:
        """End a server; its address is not used again."""
        self._services[address].stop()


def listens(sandbox: Sandbox, address: str, port: int) -> bool:
    """Whether something in the cluster's network listens there: read, not tried."""
    wanted = {_kernel_form(address, port), _kernel_form("0.0.0.0", port)}  # noqa: S104
    table = Path(f"/proc/{sandbox.init_pid}/net/tcp").read_text(encoding="ascii")
    rows = [line.split() for line in table.splitlines()[1:]]
    return any(row[1] in wanted and row[3] == LISTENING for row in rows)


def routed_service(
    namespace: str, name: str, ports: tuple[int, int], ready: dict[str, bool]
) -> list[dict[str, Any]]:
    """A Service without selector and its EndpointSlice: (port, target port), address to ready."""
    port, target = ports
    metadata = {"name": name, "namespace": namespace}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"ports": [{"name": "https", "port": port, "targetPort": target}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": target, "protocol": "TCP"}],
            "endpoints": [
                {"addresses": [address], "conditions": {"ready": is_ready}}
                for address, is_ready in ready.items()
            ],
        },
    ]


def _kernel_form(address: str, port: int) -> str:
    """An address as /proc/net/tcp writes it: the bytes of the address backwards."""
    return f"{IPv4Address(address).packed[::-1].hex().upper()}:{port:04X}"
