"""What a pod that runs holds of physical GPUs, by what its node really gives; decides nothing."""

from collections.abc import Mapping

import msgspec

from webhook.cli.live.access import Object
from webhook.core import classify, offers, usage
from webhook.core.node import Node
from webhook.core.pod import Pod


def by(pod: Object, nodes: Mapping[str, Node]) -> float | None:
    """The GPUs, maybe a fraction; None for a pod without a node that is known: it waits."""
    node = nodes.get((pod.get("spec") or {}).get("nodeName") or "")
    if node is None:
        return None
    try:
        read = msgspec.convert(pod, Pod)
    except msgspec.ValidationError:
        return None
    return usage.held(classify.asks_of(read), offers.of_node(node), node.metadata.labels or {})
