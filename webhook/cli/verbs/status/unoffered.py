"""The section of the status on nodes whose GPUs are not offered."""

from webhook.cli import loaders, output
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.client import ClusterClient
from webhook.cli.cluster.flags import Install
from webhook.cli.loaders import Cluster
from webhook.cli.verbs.status.section import Section
from webhook.core.api.quantity import counted
from webhook.core.decision.unoffered import list_unusable

_COLUMNS = (("NODE", "node"), ("RESOURCE", "resource"), ("WHY NOT OFFERED", "reason"))


def nodes(client: ClusterClient, where: Install) -> Section:
    """Return what nodes have and do not offer, and why.

    Raises:
        Unavailable: nodes or the policy cannot be read.
    """
    policy = sources.policy(client, where, None).policy
    inventory = loaders.inventory_of(Cluster(sources.nodes(client), {}), policy)
    data = [
        {"node": name, "resource": each.resource, "reason": each.reason.value, "text": each.text}
        for name, many in sorted(inventory.unusable.items())
        for each in many
    ]
    shown = (
        (output.table(_COLUMNS, data),)
        if data
        else (f"{counted(inventory.nodes, 'node')}, all offered",)
    )
    return Section(data, shown, notes=tuple(list_unusable(inventory)))
