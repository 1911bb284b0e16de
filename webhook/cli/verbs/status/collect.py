"""Every section of the status, as far as the caller may see it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from webhook.cli.cluster.client import ClusterClient, Forbidden, Unavailable
from webhook.cli.cluster.flags import Install
from webhook.cli.verbs.status import installed, metrics, namespaces, unoffered
from webhook.cli.verbs.status.section import Section, section_of
from webhook.process.version import version

_OF_METRICS: Final = (
    ("versions", "Versions"),
    ("certificate", "Certificate"), ("policy", "Policy"), ("inventory", "Inventory"),
    ("unreviewed", "Pods that were not reviewed"),
    ("counts", "Refusals since the replicas started"),
)  # fmt: skip


def collect(client: ClusterClient, where: Install, now: datetime) -> Iterator[Section]:
    """Yield each section.

    Raises:
        Unavailable: nothing is installed there, or the cluster does not answer.
    """
    try:
        yield installed.install(client, where)
    except Forbidden as forbidden:  # anything else means that there is no more to see
        missing = (forbidden.permission,)
        yield Section("install", "Install", unseen=str(forbidden), missing=missing)
    webhooks = partial(installed.webhooks, client, where)
    yield section_of("webhooks", "Webhooks (failurePolicy)", webhooks)
    yield from _of_metrics(client, where, now.timestamp())
    yield section_of("nodes", "Nodes", partial(unoffered.nodes, client, where))
    yield section_of("namespaces", "Namespaces", partial(namespaces.namespaces, client))
    refusals = partial(namespaces.refusals, client, now)
    yield section_of("refusals", "Refusals of the last hour", refusals)


def _of_metrics(client: ClusterClient, where: Install, now: float) -> Iterator[Section]:
    try:
        pages = metrics.fetch(client, where)
    except Unavailable as error:
        missing = (error.permission,) if isinstance(error, Forbidden) else ()
        for key, title in _OF_METRICS:
            yield Section(key, title, unseen=str(error), missing=missing)
        return
    yield metrics.versions(pages, version())
    yield metrics.certificate(pages, now)
    policy = metrics.policy(pages)
    yield replace(policy, wrong=(*policy.wrong, *installed.unread_policy(client, where)))
    yield metrics.inventory(pages)
    yield metrics.unreviewed(pages)
    yield metrics.counts(pages)
