"""The command `gpu-sharing explain`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags, targets
from webhook.cli.cluster.dry_run.outcome import Now
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.manifests import InputError
from webhook.cli.output import JSON, TABLE, YAML
from webhook.cli.progress import progress
from webhook.cli.verbs.explain.collect import collect
from webhook.cli.verbs.explain.render import render
from webhook.core.integrations import kubernetes

VERB: Final = Verb(
    "explain",
    "Explain how one pod got its GPU, by what rule, and what would be decided now.",
    """\
What was decided is read from the pod's annotation. What would be decided now comes from a dry run:
the pod is sent to the cluster as if it were new, and nothing is kept. Where you may not create
pods, the decision is worked out here from the nodes, if you may list them.

exit codes: 0 shown, 1 the pod would be refused now, 2 it could not be looked at

examples:
  gpu-sharing explain web-5d4f7-x2x4k              a pod of the current namespace
  gpu-sharing explain pod/trainer-0 -n team-a      of another one
  gpu-sharing explain pod/trainer-0 -o json        for tools
  gpu-sharing explain web-0 --policy mine.yaml     the row that another policy has for it

A workload that has no pods: gpu-sharing why deployment/web
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("pod", nargs="+", metavar="POD", help="NAME, pod/NAME or pod NAME")
    parser.add_argument(
        "--policy", metavar="FILE", help="show its row of this policy; else the installed one"
    )
    flags.add_namespace_flag(parser, every=False)
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read and explain. See the exit codes above."""
    name = _name(args.pod)
    with flags.open_cluster(args) as client, progress(f"looking at {name} …"):
        found = collect(client, args, name)
    output.show(render(found), args.output)
    refused = isinstance(found.now, Now) and (not found.now.allowed or found.now.kept_out)
    return flags.FOUND if refused else flags.FINE


def _name(words: list[str]) -> str:
    target = targets.parse_target(words, kubernetes.POD)
    if target.resource is not kubernetes.POD:
        raise InputError(
            f"explain is for one pod; for {target.text}: gpu-sharing why {target.text.lower()}"
        )
    return target.name
