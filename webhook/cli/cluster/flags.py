"""The parser of a verb, the flags that verbs share, and their cluster."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from webhook.cli.cluster.client import ClusterClient, Unavailable
from webhook.cli.help_page import HelpPage
from webhook.cli.manifests import STDIN, InputError
from webhook.cli.verbs import SUMMARIES
from webhook.kube.cluster_config import current_namespace
from webhook.kube.errors import ApiError

FINE, FOUND, FAILED = 0, 1, 2
"""Exit codes: nothing is wrong, something is, it could not be looked at."""
_FILES: Final = ("inventory", "policy", "prices", "pod_resources")
"""The flags that name what is read beside a cluster."""
DEFAULT_INSTALL: Final = "gpu-sharing/gpu-sharing"

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Verb:
    """How a verb presents itself in the help."""

    name: str
    description: str
    epilog: str


@dataclass(frozen=True, slots=True)
class Install:
    """Where the webhook is installed: its namespace, and the release that names its objects."""

    namespace: str
    release: str


def add_verb(commands: Commands, verb: Verb, run: Run) -> argparse.ArgumentParser:
    """Add the parser of a verb. What `run` cannot read or see ends with code 2 and a message."""
    parser = commands.add_parser(
        verb.name,
        help=SUMMARIES.get(verb.name, verb.description),
        description=verb.description,
        epilog=verb.epilog,
        formatter_class=HelpPage,
    )
    parser.set_defaults(run=_handling_errors(run))
    return parser


def _handling_errors(run: Run) -> Run:
    def handled(args: argparse.Namespace) -> int:
        try:
            _find_files(args)
            return run(args)
        except (Unavailable, InputError) as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
            return FAILED

    return handled


def _find_files(args: argparse.Namespace) -> None:
    """Raise InputError for a file that is not there, before a cluster is asked."""
    for flag in _FILES:
        given = getattr(args, flag, None) or ()
        for name in [given] if isinstance(given, str) else given:
            try:
                Path("." if name == STDIN else name).stat()
            except OSError as error:
                raise InputError(f"{name}: {error.strerror}") from None


def add_kubeconfig_flags(parser: argparse.ArgumentParser) -> "argparse._ArgumentGroup":
    """Add the flags that say which cluster, as kubectl spells them, and return their group."""
    group = parser.add_argument_group("cluster")
    group.add_argument("--kubeconfig", metavar="FILE", help="else KUBECONFIG, or ~/.kube/config")
    group.add_argument("--context", metavar="NAME", help="of the kubeconfig; else its current one")
    return group


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name files instead of the cluster's nodes and policy."""
    parser.add_argument("--inventory", metavar="FILE", help="nodes of a file, not of the cluster")
    parser.add_argument("--policy", metavar="FILE", help="else the one that is installed")


def add_cluster_flags(parser: argparse.ArgumentParser, *, of_nodes: bool = False) -> None:
    """Add the flags that say which cluster, and where the webhook is in it."""
    group = add_kubeconfig_flags(parser)
    if of_nodes:  # `kubectl get nodes -n NAME` takes it too
        group.add_argument("-n", "--namespace", metavar="NAME", help="not used: nodes have none")
    group.add_argument(
        "--install", metavar="NAMESPACE/RELEASE", type=_install,
        default=os.environ.get("GPU_SHARING_INSTALL") or DEFAULT_INSTALL,
        help="where the webhook is installed (default %(default)s; env GPU_SHARING_INSTALL)",
    )  # fmt: skip


def add_namespace_flag(parser: argparse.ArgumentParser, *, every: bool = True) -> None:
    """Add `--namespace`, and `--all-namespaces` where a command can look at all."""
    parser.add_argument(
        "-n", "--namespace", metavar="NAME", help="else the namespace of the current context"
    )
    if every:
        parser.add_argument("-A", "--all-namespaces", action="store_true", help="all of them")


def add_output_flag(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Add `-o`. The first format is what a person gets without it."""
    parser.add_argument(
        "-o", "--output", metavar="FORMAT", choices=formats, default=formats[0],
        help="%(choices)s; default %(default)s",
    )  # fmt: skip


def _install(text: str) -> Install:
    namespace, slash, release = text.partition("/")
    if not namespace or (slash and not release):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAMESPACE/RELEASE")
    return Install(namespace, release or DEFAULT_INSTALL.rpartition("/")[2])


def namespace_of(args: argparse.Namespace, client: ClusterClient) -> str | None:
    """Return the namespace that was asked for, None for all."""
    if getattr(args, "all_namespaces", False):
        return None
    return args.namespace or client.namespace


@contextmanager
def open_cluster(args: argparse.Namespace, instead: str = "") -> Iterator[ClusterClient]:
    """Open the cluster that the flags name, or say what goes without one (`instead`).

    Raises:
        Unavailable: no usable configuration.
    """
    from webhook.kube.client import open_client  # noqa: PLC0415 - 0.2 s, and a file needs none

    try:
        api = open_client(args.kubeconfig, args.context)
    except ApiError as failure:
        raise Unavailable(f"no cluster to ask: {failure}{instead}") from None
    client = ClusterClient(api, current_namespace(args.kubeconfig, args.context))
    try:
        yield client
    finally:
        client.close()
