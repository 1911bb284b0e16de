"""`gpu-sharing audit`: what if enforcement were on? Reads what exists and judges it, no more."""

import argparse
from collections.abc import Iterable
from typing import Final

from webhook.cli import loaders
from webhook.cli.cluster import kinds, options
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.client import Access, Unavailable
from webhook.cli.cluster.printing import JSON, TABLE, WIDE, YAML, out, progress, structured
from webhook.cli.evaluate import Court
from webhook.cli.verbs.audit import collect, evaluate, quotas, render
from webhook.cli.verbs.audit.evaluate import Outcome, Row
from webhook.cli.verbs.audit.report import Audit, record
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.integrations import kubernetes

NEVER: Final = ("kube-system", "kube-public", "kube-node-lease", "gpu-operator")
"""Namespaces that the chart never touches, besides its own (values: excludedNamespaces)."""
EPILOG = """\
Pods and workloads that exist are judged by the real decision, with the policy that the webhook was
installed with and the nodes as they are now. Nothing in the cluster is changed.

exit codes: 0 nothing would be refused, 1 something would be, 2 the cluster could not be read

examples:
  gpu-sharing audit                        the whole cluster, a line a namespace
  gpu-sharing audit -n team-a              one namespace, a line a workload
  gpu-sharing audit -n team-a -o json      the same for tools
  gpu-sharing audit --policy mine.yaml     by a policy that is not installed yet
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "audit",
        help="what if enforcement were on: who would change, who would be refused, GPUs saved",
        description="Say what enforcement would make of the pods and workloads that exist.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-n", "--namespace", metavar="NAME", help="only this one; else all")
    parser.add_argument("--inventory", metavar="FILE", help="nodes of a file, not of the cluster")
    parser.add_argument("--policy", metavar="FILE", help="else the one that is installed")
    options.add_output(parser, TABLE, WIDE, JSON, YAML)
    options.add_cluster(parser)
    parser.set_defaults(run=options.told(run))


def run(args: argparse.Namespace) -> int:
    """Look, judge and tell; see the exit codes above."""
    with options.opened(args) as access:
        made = _audit(access, args)
    if args.output in (JSON, YAML):
        print(structured(record(made), args.output))  # noqa: T201 - the command's output
    else:
        out().print(render.screen(made, wide=args.output == WIDE))
    refused = any(row.outcome is Outcome.REFUSED for row in made.rows)
    return options.FOUND if refused else options.FINE


def _audit(access: Access, args: argparse.Namespace) -> Audit:
    namespace = args.namespace
    chosen = sources.policy(access, args.install, args.policy)
    with progress("reading nodes and namespaces …"):
        cluster = sources.cluster(access, args.inventory, namespace)
    with progress("reading workloads and pods …"):
        objects, notes = sources.existing(access, namespace)
        pods = list(access.each(kubernetes.POD, namespace))
    forced = {names.MODE: Mode.ENFORCE.value}
    inventory = loaders.inventory_of(cluster, chosen.policy)
    court = Court(chosen.policy, inventory, cluster, forced)
    groups = collect.group(objects, pods)
    with progress(f"judging {len(groups)} workloads and pods …"):
        rows, unreadable = evaluate.forecast(groups, court)
    left_out = () if namespace else (*NEVER, args.install.namespace)
    kept = tuple(row for row in rows if row.result.namespace not in left_out)
    told = (*notes, *map(str, unreadable), *_quota_notes(access, namespace, kept))
    idle = len(groups) - len({id(row.group.root) for row in rows})
    return Audit(namespace, court, chosen.source, _asking(kept, namespace), idle, told)


def _asking(rows: tuple[Row, ...], namespace: str | None) -> tuple[Row, ...]:
    """Of the whole cluster only namespaces with GPU asks: nobody opts the others in."""
    if namespace is not None:
        return rows
    using = {row.result.namespace for row in rows if row.result.verdict.requests}
    return tuple(row for row in rows if row.result.namespace in using)


def _quota_notes(access: Access, namespace: str | None, rows: Iterable[Row]) -> tuple[str, ...]:
    try:
        return tuple(quotas.notes(access.each(kinds.RESOURCE_QUOTA, namespace), rows))
    except Unavailable as error:
        return (f"quotas are not looked at: {error}",)
