"""The command `gpu-sharing pools` and those below it."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, YAML
from webhook.cli.verbs.pools.plan_collect import collect_plan
from webhook.cli.verbs.pools.plan_render import render_plan
from webhook.cli.verbs.pools.plan_write import write_plan

PLAN: Final = Verb(
    "plan",
    "Plan the pools: what every GPU becomes, and which workloads it serves.",
    """\
The plan leaves the fewest pods unplaced, then costs least, then keeps GPUs of the dearest product
free. It is exact with the extra `plan` (HiGHS), else first-fit-decreasing with its distance from a
bound. What FILE does not state is read from the cluster: its nodes are the stock, its pods the
workloads. Nothing in the cluster is changed.

exit codes: 0 all is placed, 1 something is not, 2 something could not be read

examples:
  gpu-sharing pools plan                        the cluster's pods on the cluster's nodes
  gpu-sharing pools plan -f plan.yaml -o json   stock and workloads of a file
  gpu-sharing pools plan --write pools/         also Helm values and the labels of each node
""",
)


POOLS: Final = Verb(
    "pools",
    "Plan the pools of GPUs.",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, POOLS, run_plan)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_plan(below)


def add_plan(commands: Commands) -> None:
    """Add `pools plan`."""
    parser = flags.add_verb(commands, PLAN, run_plan)
    parser.add_argument(
        "-f", "--filename", metavar="FILE", help="stock, workloads, prices: YAML or JSON"
    )
    parser.add_argument("--inventory", metavar="FILE", help="nodes of a file, not of the cluster")
    parser.add_argument("--policy", metavar="FILE", help="else the one that is installed")
    parser.add_argument("--greedy", action="store_true", help="first-fit-decreasing, no solver")
    parser.add_argument("--write", metavar="DIR", help="write the configuration of the plan")
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run_plan(args: argparse.Namespace) -> int:
    """Plan, print and write. See the exit codes above."""
    found = collect_plan(args)
    output.show(render_plan(found), args.output)
    if args.write:
        output.warn(write_plan(found, args.write))
    return flags.FOUND if found.plan.unplaced else flags.FINE
