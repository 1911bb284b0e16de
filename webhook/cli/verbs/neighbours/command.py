"""The command `gpu-sharing neighbours`."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.forecast.collect import NEVER
from webhook.cli.forecast.groups import live
from webhook.cli.measure.flags import read_holders
from webhook.cli.measure.requests import pod_name
from webhook.cli.output import JSON, TABLE, YAML, Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.neighbours.allocations import read_allocated
from webhook.cli.verbs.neighbours.find import Neighbours, Running, find_neighbours
from webhook.core.integrations import kubernetes

UNKNOWN: Final = (
    "which of several devices of a node a pod has, where neither its kubelet's file "
    "(--pod-resources) nor --prometheus with KUBERNETES_VIRTUAL_GPUS says so",
    "MIG devices of one GPU, which hardware keeps apart",
    "processes outside Kubernetes",
)
"""What cannot be told from here."""
_COLUMNS: Final = (
    ("SHARED BY", "path"), ("NODE", "node"), ("DEVICE", "device"), ("PODS", "pods"),
    ("SURE", "sure"),
)  # fmt: skip
VERB: Final = Verb(
    "neighbours",
    "List the pods that share a GPU now, and by which path.",
    """\
Tenants come first: pods of a tenant that share with somebody else are what auditors ask for.

exit codes: 0 no tenant shares with others, 1 one does, 2 the cluster could not be read

examples:
  gpu-sharing neighbours                                      by what nodes offer
  gpu-sharing neighbours --prometheus http://localhost:9090   by device, where pods are named
  gpu-sharing neighbours --pod-resources node-1.json          by device, as node-1's kubelet says
  gpu-sharing neighbours -n acme                              those of one namespace
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("-n", "--namespace", metavar="NAME", help="only where it has a pod")
    parser.add_argument("--inventory", metavar="FILE", help="nodes of a file, not of the cluster")
    parser.add_argument("--prometheus", metavar="URL", help="that scrapes dcgm-exporter")
    parser.add_argument(
        "--pod-resources", metavar="FILE", action="append", default=[],
        help="what a node's kubelet gave to whom: its checkpoint, or podresources List as JSON",
    )  # fmt: skip
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read and print. See the exit codes above."""
    with flags.open_cluster(args) as client:
        cluster = sources.cluster(client, args.inventory, None)
        pods = [pod for pod in client.each(kubernetes.POD) if live(pod)]
    nodes = {each.metadata.name: each for each in cluster.nodes}
    running = Running(
        pods=tuple(pod for pod in pods if pod_name(pod).namespace not in NEVER),
        nodes=nodes,
        namespaces=cluster.namespaces,
        exported=read_holders(args.prometheus, args.now) if args.prometheus else {},
        allocated=read_allocated(args.pod_resources, pods, nodes),
    )
    found = [each for each in find_neighbours(running) if _is_of(each, args.namespace)]
    record = {"neighbours": [_record(each) for each in found], "notKnown": list(UNKNOWN)}
    output.show(Rendering(record, tuple(_screen(found))), args.output)
    crosses = any(each.crosses_tenants for each in found)
    return flags.FOUND if crosses else flags.FINE


def _is_of(each: Neighbours, namespace: str | None) -> bool:
    return namespace is None or any(pod.name.namespace == namespace for pod in each.pods)


def _record(each: Neighbours) -> dict[str, Any]:
    return {
        "sharedBy": each.path.value,
        "node": each.node or None,
        "device": each.device or None,
        "certain": each.certain,
        "crossesTenants": each.crosses_tenants,
        "pods": [
            {"namespace": pod.name.namespace, "name": pod.name.name, "tenant": pod.tenant}
            for pod in each.pods
        ],
    }


def _screen(found: list[Neighbours]) -> Iterator[Paragraph]:
    if found:
        yield output.table(_COLUMNS, map(_row, found))
    else:
        yield Text("no pods are known to share a GPU")
    yield Text()
    for each in UNKNOWN:
        yield output.note(f"not known: {each}")


def _row(each: Neighbours) -> Mapping[str, Any]:
    pods = [
        f"{pod.name.namespace}/{pod.name.name}" + (f" (tenant {pod.tenant})" if pod.tenant else "")
        for pod in each.pods
    ]
    colour = "bold red" if each.crosses_tenants else ""
    return {
        "path": Text((each.path.value, colour)),
        "node": each.node,
        "device": each.device or None,
        "pods": pods,
        "sure": "yes" if each.certain else "one of the node's devices",
    }
