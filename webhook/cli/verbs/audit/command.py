"""The command `gpu-sharing audit`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, WIDE, YAML
from webhook.cli.verbs.audit.collect import collect
from webhook.cli.verbs.audit.evaluate import Outcome
from webhook.cli.verbs.audit.render import render

VERB: Final = Verb(
    "audit",
    "Say what enforcement would make of the pods and workloads that exist.",
    """\
Pods and workloads that exist are judged by the real decision, with the policy that the webhook was
installed with and the nodes as they are now. Nothing in the cluster is changed.

exit codes: 0 nothing would be refused, 1 something would be, 2 the cluster could not be read

examples:
  gpu-sharing audit                        the whole cluster, a line a namespace
  gpu-sharing audit -n team-a              one namespace, a line a workload
  gpu-sharing audit -n team-a -o json      the same for tools
  gpu-sharing audit --policy mine.yaml     by a policy that is not installed yet
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("-n", "--namespace", metavar="NAME", help="only this one; else all")
    parser.add_argument("--inventory", metavar="FILE", help="nodes of a file, not of the cluster")
    parser.add_argument("--policy", metavar="FILE", help="else the one that is installed")
    flags.add_output_flag(parser, TABLE, WIDE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read, decide and print. See the exit codes above."""
    with flags.open_cluster(args) as client:
        found = collect(client, args)
    output.show(render(found, wide=args.output == WIDE), args.output)
    refused = any(row.outcome is Outcome.REFUSED for row in found.rows)
    return flags.FOUND if refused else flags.FINE
