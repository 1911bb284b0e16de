"""The command `gpu-sharing logs`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags, times
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.manifests import InputError
from webhook.cli.output import JSON, TABLE, WIDE, YAML
from webhook.cli.progress import progress
from webhook.cli.reason_codes import known_reason
from webhook.cli.verbs.logs import follow
from webhook.cli.verbs.logs.collect import collect
from webhook.cli.verbs.logs.filters import filter_of
from webhook.cli.verbs.logs.render import render
from webhook.core.api.admission import Mode
from webhook.core.api.workload import Workload

HOUR: Final = 3600
VERB: Final = Verb(
    "logs",
    "Show the webhook's audit log, the lines of all replicas as one.",
    """\
Every replica writes a line for each review; this merges them by time. Validations that found
nothing and dry runs are left out, but with --all. Who may not read these logs sees the webhook's
events of one namespace instead: refusals and rewrites, of the last hour as a rule.

exit codes: 0 shown, 2 nothing could be read

examples:
  gpu-sharing logs                                the last hour, all namespaces
  gpu-sharing logs -n team-a --refused            what was refused to one namespace, and why
  gpu-sharing logs --since 1d --owner web -o json for tools
  gpu-sharing logs -f                             as it happens, until Ctrl-C
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("-n", "--namespace", metavar="NAME", help="of the pods; else all of them")
    parser.add_argument(
        "--workload", metavar="WORKLOAD", choices=tuple(Workload), type=str,
        help="only these pods: %(choices)s",
    )  # fmt: skip
    parser.add_argument("--reason", metavar="CODE", help="only this; `gpu-sharing reasons` has all")
    parser.add_argument(
        "--mode", metavar="MODE", choices=tuple(Mode), type=str,
        help="only namespaces in this mode: %(choices)s",
    )  # fmt: skip
    parser.add_argument("--owner", metavar="NAME", help="pods of this Deployment, Job, … or pod")
    parser.add_argument("--refused", action="store_true", help="only refusals")
    parser.add_argument(
        "--all", action="store_true", help="also validations that found nothing, and dry runs"
    )
    parser.add_argument(
        "--since", metavar="TIME", type=times.span, help="10m, 2h, 1d; default 1h, with -f now"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    flags.add_output_flag(parser, TABLE, WIDE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read, merge and print. See the exit codes above."""
    if args.reason is not None:
        known_reason(args.reason)
    if args.follow and args.output == YAML:
        raise InputError("-f goes on for ever, so write -o json with it: a line each")
    wanted = filter_of(args)
    with flags.open_cluster(args) as client:
        if args.follow:
            return follow.print_as_written(client, args, wanted)
        with progress("reading the audit log …"):
            found = collect(client, args.install, wanted, args.since or HOUR)
    output.show(render(found, wide=args.output == WIDE), args.output)
    return flags.FINE
