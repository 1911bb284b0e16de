"""The manifests of a review, each pod of them decided."""

import argparse
from dataclasses import dataclass

from msgspec.structs import replace

from webhook.cli import evaluate, loaders, manifests
from webhook.cli.cluster import flags
from webhook.cli.cluster import loaders as sources
from webhook.cli.evaluate import DEFAULT_NAMESPACE, Context, Evaluation
from webhook.cli.loaders import Cluster
from webhook.cli.manifests import InputError, Manifest
from webhook.core.decision.unoffered import list_unusable


@dataclass(frozen=True, slots=True)
class ReviewedManifests:
    """The decided pods, and a sentence for each input that cannot be read.

    `unoffered` says which nodes have GPUs that are not offered, and why. `unread` are GPUs that
    objects name where no pod was found.
    """

    results: tuple[Evaluation, ...]
    unreadable: tuple[InputError, ...]
    unoffered: tuple[str, ...]
    unread: tuple[str, ...]


def collect(args: argparse.Namespace) -> ReviewedManifests:
    """Read and decide what the flags name.

    Raises:
        InputError: policy, inventory or a namespace cannot be read.
        Unavailable: the nodes of the cluster cannot be read.
    """
    policy = loaders.load_policy(args.policy)
    found = list(manifests.read_manifests(args.filename))
    unreadable = tuple(each for each in found if isinstance(each, InputError))
    if found and len(unreadable) == len(found):  # nodes are not asked for: they may be away too
        return ReviewedManifests((), unreadable, (), ())
    cluster = _cluster(args)
    read = [each for each in found if isinstance(each, Manifest)]
    # Namespaces that stand beside the pods count too: that is how charts ship them.
    beside = loaders.of_objects([each for each in read if each.value["kind"] == "Namespace"])
    inventory = loaders.inventory_of(cluster, policy)
    cluster = replace(cluster, namespaces={**cluster.namespaces, **beside.namespaces})
    namespace = args.namespace or DEFAULT_NAMESPACE
    context = Context(policy, inventory, cluster, dict(args.namespace_label), namespace)
    made = [
        result
        for each in found
        for result in ([each] if isinstance(each, InputError) else evaluate.evaluate(each, context))
    ]
    return ReviewedManifests(
        tuple(each for each in made if isinstance(each, Evaluation)),
        tuple(each for each in made if isinstance(each, InputError)),
        tuple(list_unusable(inventory)),
        tuple(text for each in read for text in evaluate.unread(each, context)),
    )


def _cluster(args: argparse.Namespace) -> Cluster:
    if args.inventory is not None:
        return loaders.load_cluster(args.inventory)
    instead = ", or give --inventory FILE, made by `kubectl get nodes -o json`"
    with flags.open_cluster(args, instead) as client:
        return Cluster(sources.nodes(client), {})
