"""Every section of the status, as far as the caller may see it."""

from collections.abc import Callable, Mapping
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

    def section(title: str, read: Callable[[Pages], Section]) -> Section:
        return section_of(title, lambda: read(pages()))

    def pages() -> Pages:
        if isinstance(found, Unavailable):
            raise found
        return found

    return {
        "versions": section("Versions", partial(metrics.versions, own=version())),
        "certificate": section("Certificate", partial(metrics.certificate, now=now)),
        "policy": section("Policy", partial(_policy, client, where)),
        "inventory": section("Inventory", metrics.inventory),
        "unreviewed": section("Pods that were not reviewed", metrics.unreviewed),
        "counts": section("Refusals since the replicas started", metrics.counts),
    }


def _policy(client: ClusterClient, where: Install, pages: Pages) -> Section:
    found = metrics.policy(pages)
    return replace(found, wrong=(*found.wrong, *installed.unread_policy(client, where)))
