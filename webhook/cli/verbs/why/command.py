"""The command `gpu-sharing why`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags, targets
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, YAML
from webhook.cli.progress import progress
from webhook.cli.verbs.why.collect import State, collect
from webhook.cli.verbs.why.render import render

VERB: Final = Verb(
    "why",
    "Explain why a workload's pods are not there, or why they wait.",
    """\
Refusals of pods are events on the controller that should have created them, where few people look.
This finds them and shows what is wrong and what to do. Where there are none it shows why pods wait,
and tries a pod of the template by a dry run: nothing is created or changed.

exit codes: 0 nothing is refused, 1 pods are refused or would be, 2 it could not be looked at

examples:
  gpu-sharing why deployment/web
  gpu-sharing why job/train -n team-a
  gpu-sharing why pytorchjob/bert                  anything that makes pods
  gpu-sharing why pod/web-5d4f7-x2x4k              why one pod waits
  gpu-sharing why deployment/web -o json           for tools
""",
)
_CODES: Final = {
    State.REFUSED: flags.FOUND,
    State.WOULD_BE_REFUSED: flags.FOUND,
    State.UNKNOWN: flags.FAILED,
}


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument(
        "workload", nargs="+", metavar="KIND/NAME", help="KIND/NAME or KIND NAME, as for kubectl"
    )
    flags.add_namespace_flag(parser, every=False)
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read and explain. See the exit codes above."""
    target = targets.parse_target(args.workload)
    with flags.open_cluster(args) as client, progress(f"looking at {target.text} …"):
        found = collect(client, args, target)
    output.show(render(found, args.now), args.output)
    return _CODES.get(found.state, flags.FINE)
