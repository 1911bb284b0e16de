"""The command `gpu-sharing pools` and those below it."""

import argparse
from typing import Final

from webhook.cli import loaders, output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, WIDE, YAML
from webhook.cli.verbs.pools.collect import Pools, collect
from webhook.cli.verbs.pools.move_command import add_move
from webhook.cli.verbs.pools.plan_collect import collect_plan
from webhook.cli.verbs.pools.plan_render import render_plan
from webhook.cli.verbs.pools.plan_write import write_plan
from webhook.cli.verbs.pools.render import render, render_for
from webhook.core.pools.autoscaler import AUTOSCALERS

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
    "Show the pools of GPUs: what they offer, what is free, what is wrong and how to mend it.",
    """\
exit codes: 0 nothing is wrong, 1 something is, 2 nodes could not be read

examples:
  gpu-sharing pools                                     the cluster, a line a pool
  gpu-sharing pools -o wide                             a line a node
  kubectl get nodes -o json | gpu-sharing pools -f -
  gpu-sharing pools --for karpenter --policy mine.yaml  declared pools for their autoscaler
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, POOLS, run)
    parser.add_argument(
        "-f", "--inventory", metavar="FILE", help="nodes of a file or of - (standard input)"
    )
    parser.add_argument("--policy", metavar="FILE", help="else the one that is installed")
    parser.add_argument(
        "--for", dest="autoscaler", metavar="AUTOSCALER", choices=tuple(AUTOSCALERS),
        help="print the policy's pools as it needs them, to grow from zero: %(choices)s",
    )  # fmt: skip
    flags.add_output_flag(parser, TABLE, WIDE, JSON, YAML)
    flags.add_cluster_flags(parser, of_nodes=True)
    below = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_plan(below)
    add_move(below)


def run(args: argparse.Namespace) -> int:
    """Read nodes and print what is there and what is wrong. See the exit codes above."""
    if args.autoscaler and args.policy and args.inventory is None:
        declared = Pools((), loaders.load_policy(args.policy))
        output.show(render_for(declared, args.autoscaler), _structured(args.output))
        return flags.FINE
    found = collect(args)
    if args.autoscaler:
        output.show(render_for(found, args.autoscaler), _structured(args.output))
        return flags.FINE
    output.show(render(found, wide=args.output == WIDE), args.output)
    return flags.FOUND if any(each.problems for each in found.nodes) else flags.FINE


def _structured(chosen: str) -> str:
    """What an autoscaler reads is YAML, unless JSON is asked for."""
    return JSON if chosen == JSON else YAML


def add_plan(commands: Commands) -> None:
    """Add `pools plan`."""
    parser = flags.add_verb(commands, PLAN, run_plan)
    parser.add_argument(
        "-f", "--filename", metavar="FILE", help="stock, workloads, prices: YAML or JSON"
    )
    flags.add_source_flags(parser)
    parser.add_argument("--greedy", action="store_true", help="first-fit-decreasing, no solver")
    parser.add_argument("--write", metavar="DIR", help="write the configuration of the plan")
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser, of_nodes=True)


def run_plan(args: argparse.Namespace) -> int:
    """Plan, print and write. See the exit codes above."""
    found = collect_plan(args)
    output.show(render_plan(found), args.output)
    if args.write:
        output.warn(write_plan(found, args.write))
    return flags.FOUND if found.plan.unplaced else flags.FINE
