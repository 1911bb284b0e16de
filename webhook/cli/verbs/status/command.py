"""The command `gpu-sharing status`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, YAML
from webhook.cli.progress import progress
from webhook.cli.verbs.status.collect import collect
from webhook.cli.verbs.status.render import render

VERB: Final = Verb(
    "status",
    "Show how the webhook is, what the cluster offers, and who uses it.",
    """\
Every part is looked at with your own rights; what you may not see is named in its place, with the
right that is missing. The chart's `people.viewers` has all of them.

exit codes: 0 all is well, as far as you may see, 1 something is wrong, 2 nothing could be seen

examples:
  gpu-sharing status
  gpu-sharing status -o json
  gpu-sharing status --install my-namespace/my-release
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser, of_nodes=True)


def run(args: argparse.Namespace) -> int:
    """Read and show everything. See the exit codes above."""
    with flags.open_cluster(args) as client, progress("looking at the webhook …"):
        sections = collect(client, args.install, args.now)
    output.show(render(sections), args.output)
    if all(each.unseen for each in sections.values()):
        return flags.FAILED
    return flags.FOUND if any(each.wrong for each in sections.values()) else flags.FINE
