"""`gpu-sharing why`: why a workload has no pods, or why they look and wait as they do."""

import argparse
from typing import Final

from webhook.cli.cluster import namespace_policy, options, targets
from webhook.cli.cluster.printing import JSON, TABLE, YAML, progress, put, structured
from webhook.cli.verbs.why import collect, render
from webhook.cli.verbs.why.collect import State

EPILOG: Final = """\
When pods are refused, that stands in events of what should have made them, where few people look.
This finds them, says what is wrong and what to do. Without any it looks at why pods wait, and tries
a pod of the template by a dry run: nothing is created or changed.

exit codes: 0 nothing is refused, 1 pods are refused or would be, 2 it could not be looked at

examples:
  gpu-sharing why deployment/web
  gpu-sharing why job/train -n team-a
  gpu-sharing why pytorchjob/bert                  anything that makes pods
  gpu-sharing why pod/web-5d4f7-x2x4k              why one pod waits
  gpu-sharing why deployment/web -o json           for tools
"""
_CODES: Final = {
    State.REFUSED: options.FOUND,
    State.WOULD_BE_REFUSED: options.FOUND,
    State.UNKNOWN: options.FAILED,
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "why",
        help="why a workload has no pods, or why they wait",
        description="Tell why a workload's pods are not there, or why they are as they are.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "workload", nargs="+", metavar="KIND/NAME", help="KIND/NAME or KIND NAME, as for kubectl"
    )
    options.add_namespace(parser, every=False)
    options.add_output(parser, TABLE, JSON, YAML)
    options.add_cluster(parser)
    parser.set_defaults(run=options.told(run), policy=None)


def run(args: argparse.Namespace) -> int:
    """Look and tell; see the exit codes above."""
    target = targets.parse(args.workload)
    with options.opened(args) as access, progress(f"looking at {target.text} …"):
        namespace = args.namespace or access.namespace
        found = namespace_policy.of_namespace(access, args.install, None, namespace)
        made = collect.gather(access, target, found)
    if args.output in (JSON, YAML):
        print(structured(collect.record(made), args.output))  # noqa: T201 - the command's output
    else:
        put(*render.screen(made))
    return _CODES.get(made.state, options.FINE)
