"""The policy and the namespace by which pods are read, and what could not be seen of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.cli import loaders
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.client import Access, Lacking, Right
from webhook.cli.cluster.dry_run.outcome import Place
from webhook.cli.cluster.loaders import Chosen
from webhook.cli.cluster.options import Install
from webhook.cli.manifests import InputError


@dataclass(frozen=True, slots=True)
class Rules:
    """Where pods are judged, and by what. `known` tells if the namespace could be read."""

    place: Place
    policy_source: str
    known: bool
    missing: tuple[Right, ...] = ()

    @property
    def mode(self) -> str | None:
        """The namespace's mode; None where it is off, or unknown."""
        return self.place.mode.value if self.place.mode else None


def of_namespace(access: Access, install: Install, path: str | None, namespace: str) -> Rules:
    """Read a namespace's labels and the policy, as far as the caller may.

    Raises:
        InputError: the policy of the named file is wrong.
        Unavailable: there is no such namespace, or the cluster does not answer.
    """
    chosen = policy(access, install, path)
    try:
        labels: Mapping[str, str] = dict(sources.namespaces(access, namespace))[namespace]
    except Lacking as lacking:
        place = Place(namespace, {}, chosen.policy)
        return Rules(place, chosen.source, known=False, missing=(lacking.right,))
    return Rules(Place(namespace, labels, chosen.policy), chosen.source, known=True)


def policy(access: Access, install: Install, path: str | None) -> Chosen:
    """As `sources.policy`; where the installed one is wrong, the built-in one and that it is."""
    try:
        return sources.policy(access, install, path)
    except InputError as error:
        if path is not None:
            raise
        return Chosen(loaders.load_policy(None), f"the built-in policy, since {error}")
