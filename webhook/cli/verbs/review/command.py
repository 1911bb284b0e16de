"""The command `gpu-sharing review`, which needs no server."""

import argparse
import sys
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import DIFF, JSON, TABLE, WIDE, YAML
from webhook.cli.verbs.review.collect import collect
from webhook.cli.verbs.review.file_diff import print_diffs
from webhook.cli.verbs.review.render import render

ALL_ALLOWED, DENIED, UNREADABLE = 0, 1, 2
VERB: Final = Verb(
    "review",
    "Decide the pods of files, folders or standard input, without a server.",
    """\
exit codes: 0 all allowed, 1 at least one refused, 2 some input could not be read;
with --strict also 1: a GPU is named where no pod was found, or a key of a namespace says nothing

examples:
  kubectl get nodes -o json > nodes.json
  gpu-sharing review -f deployment.yaml --inventory nodes.json
  helm template my-chart |
    gpu-sharing review -f - --inventory nodes.json -o diff
  gpu-sharing review -f manifests/ --inventory nodes.json -o diff | git apply
  gpu-sharing review -f manifests/ --namespace-label gpu-sharing.io/tenant=blue -o json
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument(
        "-f", "--filename", action="append", required=True, metavar="FILE|DIR|-",
        help="any Kubernetes objects: pods, anything with a pod template, Lists; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--inventory", metavar="FILE",
        help="the nodes, as `kubectl get nodes -o json` prints them; else the current kubeconfig",
    )  # fmt: skip
    parser.add_argument("--policy", metavar="FILE", help="a policy; else the built-in one")
    parser.add_argument(
        "--namespace-label", action="append", default=[], metavar="KEY=VALUE", type=_label,
        help="a label of the pods' namespace, as if it had it; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true",
        help="exit with 1 also where a note tells of something that nobody reviewed",
    )  # fmt: skip
    parser.add_argument(
        "-n", "--namespace", metavar="NAME", help="of objects that name none (default: default)"
    )
    flags.add_output_flag(parser, TABLE, WIDE, JSON, YAML, DIFF)
    flags.add_kubeconfig_flags(parser)


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: expected KEY=VALUE")
    return key, value


def run(args: argparse.Namespace) -> int:
    """Print what becomes of each pod. See the exit codes above."""
    found = collect(args)
    for error in found.unreadable:
        print(f"error: {output.safe(str(error))}", file=sys.stderr)  # noqa: T201 - the command's output
    for text in found.unoffered:
        print(f"not offered: {output.safe(text)}", file=sys.stderr)  # noqa: T201 - beside what tools read
    if args.output == DIFF and found.results:
        print_diffs(found.results)
    elif found.results or not found.unreadable or args.output in (JSON, YAML):
        output.show(render(found.results, wide=args.output == WIDE), args.output)
    for text in found.unread:
        print(f"note: {text}", file=sys.stderr)  # noqa: T201 - the command's output
    denied = any(not result.verdict.allowed for result in found.results)
    denied = denied or (args.strict and bool(found.unread))
    return UNREADABLE if found.unreadable else DENIED if denied else ALL_ALLOWED
