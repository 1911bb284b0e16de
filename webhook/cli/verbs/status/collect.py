"""Every section of the status, as far as the caller may see it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from webhook.cli.cluster.client import ClusterClient, Forbidden, Unavailable
from webhook.cli.cluster.flags import Install
from webhook.cli.verbs.status import installed, metrics, namespaces, unoffered
from webhook.cli.verbs.status.metrics import Pages
from webhook.cli.verbs.status.section import Section, section_of
from webhook.process.version import version


def collect(client: ClusterClient, where: Install, now: datetime) -> Mapping[str, Section]:
    """Return each section by its key.

    Raises:
        Unavailable: nothing is installed there, or the cluster does not answer.
    """
    # Anything but a missing right means that there is no more to see.
    install = section_of("Install", partial(installed.install, client, where), hidden=(Forbidden,))
    refusals = partial(namespaces.refusals, client, now)
    return {
        "install": install,
        "webhooks": section_of(
            "Webhooks (failurePolicy)", partial(installed.webhooks, client, where)
        ),
        **_of_metrics(client, where, now.timestamp()),
        "nodes": section_of("Nodes", partial(unoffered.nodes, client, where)),
        "namespaces": section_of("Namespaces", partial(namespaces.namespaces, client)),
        "refusals": section_of("Refusals of the last hour", refusals),
    }


def _of_metrics(client: ClusterClient, where: Install, now: float) -> Mapping[str, Section]:
    found: Pages | Unavailable
    try:
        found = metrics.fetch(client, where)
    except Unavailable as error:
        found = error

    def pages() -> Pages:
        if isinstance(found, Unavailable):
            raise found
        return found

    def policy() -> Section:
        told = metrics.policy(pages())
        return replace(told, wrong=(*told.wrong, *installed.unread_policy(client, where)))

    return {
        "versions": section_of("Versions", lambda: metrics.versions(pages(), version())),
        "certificate": section_of("Certificate", lambda: metrics.certificate(pages(), now)),
        "policy": section_of("Policy", policy),
        "inventory": section_of("Inventory", lambda: metrics.inventory(pages())),
        "unreviewed": section_of(
            "Pods that were not reviewed", lambda: metrics.unreviewed(pages())
        ),
        "counts": section_of(
            "Refusals since the replicas started", lambda: metrics.counts(pages())
        ),
    }
