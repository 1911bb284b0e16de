"""The network inside the namespaces: one bridge with the node's address, and no way out.

The addresses are the same in every cluster, since no two clusters see each other.
"""

from tests.e2e.cluster.errors import NotReadyError
from tests.e2e.cluster.sandbox import Sandbox

NODE_ADDRESS = "10.89.0.1"
SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
"""The address of the Service `kubernetes`, which pods call."""
POD_RANGE = "10.244.0.0/24"
API_PORT = 6443
BRIDGE = "node0"


def lay(sandbox: Sandbox) -> None:
    """Make the bridge, give it the node's address and the default route, let it forward.

    Without a default route the API server does not start; the kernel need not have dummy devices.
    Where it lets a user make no bridge either, the loopback device carries the address.
    """
    ip(sandbox, "link", "set", "lo", "up")
    try:
        ip(sandbox, "link", "add", BRIDGE, "type", "bridge")
        ip(sandbox, "link", "set", BRIDGE, "up")
        device = BRIDGE
    except NotReadyError:
        device = "lo"
    ip(sandbox, "address", "add", f"{NODE_ADDRESS}/16", "dev", device)
    ip(sandbox, "route", "add", "default", "dev", device)
    if not sandbox.rootless:
        sandbox.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])


def add_address(sandbox: Sandbox, address: str) -> None:
    """One more address in the node's network, for a server that is no pod."""
    ip(sandbox, "address", "add", f"{address}/32", "dev", "lo")


def ip(sandbox: Sandbox, *arguments: str) -> None:
    """Run the command `ip` in the namespaces."""
    sandbox.run(["ip", *arguments])
