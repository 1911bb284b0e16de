"""The policy and the namespace of pods, and what cannot be read of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.cli import loaders
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.client import ClusterClient, Forbidden, Permission
from webhook.cli.cluster.dry_run.outcome import PodPlace
from webhook.cli.cluster.flags import Install
from webhook.cli.cluster.loaders import PolicySource
from webhook.cli.manifests import InputError


@dataclass(frozen=True, slots=True)
class NamespacePolicy:
    """Where pods are judged, and by what. `known` tells if the namespace could be read."""

    place: PodPlace
    policy_source: str
    known: bool
    missing: tuple[Permission, ...] = ()

    @property
    def mode(self) -> str | None:
        """The namespace's mode. It is None where it is off, or unknown."""
        return self.place.mode.value if self.place.mode else None

    @property
    def where(self) -> str:
        """The namespace and its mode, as people read them."""
        mode = f"mode {self.mode}" if self.mode else "not opted in"
        return f"{self.place.namespace} ({mode if self.known else 'its mode cannot be read'})"


def read_namespace_policy(
    client: ClusterClient, install: Install, path: str | None, namespace: str
) -> NamespacePolicy:
    """Read a namespace's labels and the policy, as far as the caller may.

    Raises:
        InputError: the policy of the named file is wrong.
        Unavailable: there is no such namespace, or the cluster does not answer.
    """
    chosen = policy_or_default(client, install, path)
    try:
        labels: Mapping[str, str] = dict(sources.namespaces(client, namespace))[namespace]
    except Forbidden as forbidden:
        place = PodPlace(namespace, {}, chosen.policy)
        return NamespacePolicy(place, chosen.source, known=False, missing=(forbidden.permission,))
    return NamespacePolicy(PodPlace(namespace, labels, chosen.policy), chosen.source, known=True)


def policy_or_default(client: ClusterClient, install: Install, path: str | None) -> PolicySource:
    """As `sources.policy`. Where the installed one is wrong, the built-in one and that it is."""
    try:
        return sources.policy(client, install, path)
    except InputError as error:
        if path is not None:
            raise
        return PolicySource(loaders.load_policy(None), f"the built-in policy, since {error}")
