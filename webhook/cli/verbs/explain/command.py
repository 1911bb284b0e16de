"""`gpu-sharing explain`: why a pod has the GPU that it has, and what it would get now."""

import argparse
from typing import Final

from webhook.cli.cluster import namespace_policy, options, targets
from webhook.cli.cluster.dry_run import rebuild
from webhook.cli.cluster.dry_run.outcome import Now
from webhook.cli.cluster.printing import JSON, TABLE, YAML, progress, put, structured
from webhook.cli.manifests import InputError
from webhook.cli.verbs.explain import collect, render
from webhook.cli.verbs.explain.collect import Explained
from webhook.core.integrations import kubernetes

EPILOG: Final = """\
What was decided is read from the pod, as its annotation tells it. What would be decided now comes
from a dry run: the pod is sent to the cluster as if it were new, and nothing is kept. Where you may
not create pods, the decision is worked out here from the nodes, if you may list them.

exit codes: 0 told, 1 the pod would be refused now, 2 it could not be looked at

examples:
  gpu-sharing explain web-5d4f7-x2x4k              a pod of the current namespace
  gpu-sharing explain pod/trainer-0 -n team-a      of another one
  gpu-sharing explain pod/trainer-0 -o json        for tools
  gpu-sharing explain web-0 --policy mine.yaml     the row that another policy has for it

A workload that has no pods: gpu-sharing why deployment/web
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explain",
        help="why a pod has the GPU that it has, and what it would get if it were new",
        description="Tell how one pod got its GPU, by what rule, and what would be decided now.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pod", nargs="+", metavar="POD", help="NAME, pod/NAME or pod NAME")
    parser.add_argument(
        "--policy", metavar="FILE", help="show its row of this policy; else the installed one"
    )
    options.add_namespace(parser, every=False)
    options.add_output(parser, TABLE, JSON, YAML)
    options.add_cluster(parser)
    parser.set_defaults(run=options.told(run))


def run(args: argparse.Namespace) -> int:
    """Look and tell; see the exit codes above."""
    name = _name(args.pod)
    with options.opened(args) as access, progress(f"looking at {name} …"):
        namespace = args.namespace or access.namespace
        live = rebuild.live(access, name, namespace)
        found = namespace_policy.of_namespace(access, args.install, args.policy, namespace)
        made = collect.gather(access, live, found)
    if args.output in (JSON, YAML):
        print(structured(collect.record(made), args.output))  # noqa: T201 - the command's output
    else:
        put(*render.screen(made))
    return options.FOUND if _refused(made) else options.FINE


def _name(words: list[str]) -> str:
    target = targets.parse(words, kubernetes.POD)
    if target.resource is not kubernetes.POD:
        raise InputError(
            f"explain is for one pod; for {target.text}: gpu-sharing why {target.text.lower()}"
        )
    return target.name


def _refused(made: Explained) -> bool:
    return isinstance(made.now, Now) and not made.now.allowed
