"""The flags that all commands on a live cluster have, and what they open; reads no object."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from webhook.cli.cluster.client import Access, Unavailable
from webhook.cli.manifests import InputError
from webhook.kube.errors import ApiError
from webhook.kube.kubeconfig import connect, current_namespace

FINE, FOUND, FAILED = 0, 1, 2
DEFAULT_INSTALL: Final = "gpu-sharing/gpu-sharing"


@dataclass(frozen=True, slots=True)
class Install:
    """Where the webhook is installed: its namespace, and the release that names its objects."""

    namespace: str
    release: str


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which cluster, as kubectl spells them."""
    group = parser.add_argument_group("cluster")
    group.add_argument("--kubeconfig", metavar="FILE", help="else KUBECONFIG, or ~/.kube/config")
    group.add_argument("--context", metavar="NAME", help="of the kubeconfig; else its current one")
    group.add_argument(
        "--install", metavar="NAMESPACE/RELEASE", type=_install,
        default=os.environ.get("GPU_SHARING_INSTALL") or DEFAULT_INSTALL,
        help="where the webhook is installed (default %(default)s; env GPU_SHARING_INSTALL)",
    )  # fmt: skip


def add_namespace(parser: argparse.ArgumentParser, *, every: bool = True) -> None:
    """Add `--namespace`, and `--all-namespaces` where a command can look at all."""
    parser.add_argument(
        "-n", "--namespace", metavar="NAME", help="else the namespace of the current context"
    )
    if every:
        parser.add_argument("-A", "--all-namespaces", action="store_true", help="all of them")


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Add `-o`; the first format is what a person gets without it."""
    parser.add_argument(
        "-o", "--output", choices=formats, default=formats[0], help="default %(default)s"
    )


def _install(text: str) -> Install:
    namespace, slash, release = text.partition("/")
    if not namespace or (slash and not release):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAMESPACE/RELEASE")
    return Install(namespace, release or DEFAULT_INSTALL.rpartition("/")[2])


def namespace_of(args: argparse.Namespace, access: Access) -> str | None:
    """The namespace that was asked for; None for all."""
    if getattr(args, "all_namespaces", False):
        return None
    return args.namespace or access.namespace


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Access]:
    """Open the cluster that the flags name.

    Raises:
        Unavailable: no usable configuration.
    """
    try:
        connection = connect(args.kubeconfig, context=args.context)
    except ApiError as failure:
        raise Unavailable(f"no cluster to ask ({failure}); name one by KUBECONFIG") from None
    access = Access(connection, current_namespace(args.kubeconfig, args.context))
    try:
        yield access
    finally:
        access.close()


def told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Wrap a command: what cannot be read or seen is said on standard error, with code 2."""

    def wrapped(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except (Unavailable, InputError) as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
            return FAILED

    return wrapped
