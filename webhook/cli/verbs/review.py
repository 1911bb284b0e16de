"""`gpu-sharing review`: what the webhook would do with the pods of some files; needs no server."""

import argparse
import sys
from collections.abc import Mapping

from webhook.cli import evaluate, loaders, manifests
from webhook.cli import output as show
from webhook.cli.evaluate import Court, Result
from webhook.cli.manifests import InputError, Manifest

ALL_ALLOWED, DENIED, UNREADABLE = 0, 1, 2
EPILOG = """\
exit codes: 0 all allowed, 1 at least one refused, 2 some input could not be read

examples:
  kubectl get nodes -o json > nodes.json
  gpu-sharing review -f deployment.yaml --inventory nodes.json
  helm template my-chart | gpu-sharing review -f - --inventory nodes.json -o diff
  gpu-sharing review -f manifests/ --namespace-label gpu-sharing.io/tenant=blue -o json
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "review",
        help="what would happen to the pods of some manifests, and why",
        description="Decide the pods of files, folders or standard input, without a server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
        "-o", "--output", choices=("table", "json", "yaml", "diff"), default="table"
    )
    parser.set_defaults(run=run)


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: expected KEY=VALUE")
    return key, value


def run(args: argparse.Namespace) -> int:
    """Print what becomes of each pod; see the exit codes above."""
    try:
        court = _court(args, dict(args.namespace_label))
        found = list(manifests.read_manifests(args.filename))
        court = _with_namespaces(court, found)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return UNREADABLE
    results: list[Result] = []
    unreadable = False
    for each in found:
        for made in [each] if isinstance(each, InputError) else evaluate.judge(each, court):
            if isinstance(made, Result):
                results.append(made)
            else:
                print(f"error: {made}", file=sys.stderr)  # noqa: T201 - the command's output
                unreadable = True
    _print(results, args.output)
    denied = any(not result.verdict.allowed for result in results)
    return UNREADABLE if unreadable else DENIED if denied else ALL_ALLOWED


def _court(args: argparse.Namespace, labels: Mapping[str, str]) -> Court:
    policy = loaders.load_policy(args.policy)
    cluster = loaders.load_cluster(args.inventory)
    return Court(policy, loaders.inventory_of(cluster, policy), cluster, labels)


def _with_namespaces(court: Court, found: list[Manifest | InputError]) -> Court:
    """Namespaces that stand beside the pods count too: that is how charts ship them."""
    beside = [f for f in found if isinstance(f, Manifest) and f.value["kind"] == "Namespace"]
    namespaces = {**court.cluster.namespaces, **loaders.of_objects(beside).namespaces}
    cluster = loaders.Cluster(court.cluster.nodes, namespaces)
    return Court(court.policy, court.inventory, cluster, court.namespace_labels)


def _print(results: list[Result], output: str) -> None:
    if output in ("json", "yaml"):
        text = show.as_json(results) if output == "json" else show.as_yaml(results)
        print(text)  # noqa: T201 - the command's output
        return
    console = show.console()
    if not results:
        console.print("no pod and no pod template found")
    elif output == "table":
        console.print(show.table(results))
    else:
        for result in results:
            console.print(show.diff(result))
