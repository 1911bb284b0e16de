"""The command `gpu-sharing audit`."""

import argparse
from dataclasses import replace
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.forecast.collect import Audit, collect
from webhook.cli.forecast.evaluate import Outcome
from webhook.cli.manifests import InputError
from webhook.cli.measure.assess import Assessment
from webhook.cli.measure.flags import add_measure_flags, read_assessment
from webhook.cli.output import HTML, JSON, PLAN, TABLE, WIDE, YAML, Rendering
from webhook.cli.verbs.audit.render import render
from webhook.cli.verbs.audit.report import report
from webhook.cli.verbs.audit.usage_record import assessment_record, plan_record
from webhook.cli.verbs.audit.usage_render import assessment_screen

VERB: Final = Verb(
    "audit",
    "Say what enforcement would make of the pods and workloads that exist.",
    """\
Pods and workloads that exist are judged by the real decision, with the policy that the webhook was
installed with and the nodes as they are now. Nothing in the cluster is changed.

With --prometheus what was used is joined with what is held: what each workload needs, what that
saves, and where the rest goes (docs/audit.md).

exit codes: 0 nothing would be refused, 1 something would be, 2 the cluster could not be read

examples:
  gpu-sharing audit                        the whole cluster, a line a namespace
  gpu-sharing audit -n team-a              one namespace, a line a workload
  gpu-sharing audit -n team-a -o json      the same for tools
  gpu-sharing audit --policy mine.yaml     by a policy that is not installed yet
  gpu-sharing audit --prometheus http://localhost:9090 --window 7d
  gpu-sharing audit --prometheus http://localhost:9090 -o html > report.html
  gpu-sharing audit --prometheus http://localhost:9090 -o plan |
    gpu-sharing pools plan -f -
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("-n", "--namespace", metavar="NAME", help="only this one; else all")
    flags.add_source_flags(parser)
    flags.add_output_flag(parser, TABLE, WIDE, JSON, YAML, PLAN, HTML)
    add_measure_flags(parser, required=False)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read, decide and print. See the exit codes above."""
    if args.output in (PLAN, HTML) and not args.prometheus:
        raise InputError(f"-o {args.output} shows what was used: name a --prometheus URL")
    with flags.open_cluster(args) as client:
        found = collect(client, args)
    made = render(found, wide=args.output == WIDE)
    if args.prometheus:
        made = _with_use(made, read_assessment(found, args), found)
    output.show(made, args.output)
    refused = any(row.outcome is Outcome.REFUSED for row in found.rows)
    return flags.FOUND if refused else flags.FINE


def _with_use(made: Rendering, use: Assessment, found: Audit) -> Rendering:
    """Add what was used, and the formats that show only that."""
    return replace(
        made,
        record={**made.record, "usage": assessment_record(use)},
        screen=(*made.screen, *assessment_screen(use)),
        texts={
            PLAN: lambda: output.structured(plan_record(use, found.context.cluster.nodes), YAML),
            HTML: lambda: report(use),
        },
    )
