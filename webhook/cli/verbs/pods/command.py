"""The command `gpu-sharing pods`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, WIDE, YAML
from webhook.cli.progress import progress
from webhook.cli.verbs.pods.collect import collect
from webhook.cli.verbs.pods.render import render
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy

_STRATEGIES: Final = (*(each.value for each in Strategy), "mixed", "none")
VERB: Final = Verb(
    "pods",
    "List the pods that request a GPU, with what each got and how.",
    """\
Only pods that request a GPU are shown, with names of resources without nvidia.com/. Strategy,
workload and tenant are what the pod's annotation says, if that fits what it requests; a pod without
a decision shows `-`.

exit codes: 0 shown, 2 the pods could not be looked at

examples:
  gpu-sharing pods                          in the current namespace
  gpu-sharing pods -A -o wide               everywhere, with requests, reasons and owners
  gpu-sharing pods -A --strategy none       those that the webhook never reviewed
  gpu-sharing pods -n team-a --workload training -o json
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument(
        "--strategy", metavar="STRATEGY", choices=_STRATEGIES,
        help="only these: %(choices)s; none: without a decision",
    )  # fmt: skip
    parser.add_argument(
        "--workload", metavar="WORKLOAD", choices=tuple(Workload), type=str,
        help="only these: %(choices)s",
    )  # fmt: skip
    flags.add_namespace_flag(parser)
    flags.add_output_flag(parser, TABLE, WIDE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read and list the pods. See the exit codes above."""
    with flags.open_cluster(args) as client, progress("reading pods …"):
        found = collect(client, args)
    output.show(render(found, wide=args.output == WIDE), args.output)
    return flags.FINE
