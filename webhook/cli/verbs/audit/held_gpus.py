"""What a pod that runs holds of physical GPUs, by what its node really gives; decides nothing."""

from collections.abc import Mapping

import msgspec

from webhook.cli.cluster.client import Object
from webhook.cli.inspect import usage
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.gpu.inventory import read_node


def by(pod: Object, nodes: Mapping[str, Node]) -> float | None:
    """The GPUs, maybe a fraction; None for a pod without a node that is known: it waits."""
    node = nodes.get((pod.get("spec") or {}).get("nodeName") or "")
    if node is None:
        return None
    try:
        read = msgspec.convert(pod, Pod)
    except msgspec.ValidationError:
        return None
    return usage.held(classify.requests_of(read), read_node(node).offers)
