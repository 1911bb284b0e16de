"""Quotas that would no longer count what the webhook renames. A note each, no judgement.

A ResourceQuota is charged after admission webhooks, for the resource that the pod then asks for
(kubernetes pkg/kubeapiserver/options/plugins.go: ResourceQuota is last).
"""

from collections.abc import Iterable, Iterator

from webhook.cli.cluster.client import Object, metadata
from webhook.cli.forecast import totals
from webhook.cli.forecast.evaluate import AuditRow

_REQUESTS = "requests."


def notes(found: Iterable[Object], rows: Iterable[AuditRow]) -> Iterator[str]:
    """Yield a sentence for each quota on a GPU resource that some pods would leave."""
    grouped = totals.by_namespace(rows)
    for quota in found:
        data = metadata(quota)
        hard = (quota.get("spec") or {}).get("hard") or {}
        for old, new in sorted(_renamed(grouped.get(data.get("namespace", ""), ()))):
            if _REQUESTS + old in hard and _REQUESTS + new not in hard:
                yield (
                    f"ResourceQuota {data['namespace']}/{data['name']} limits {_REQUESTS}{old}: "
                    f"what becomes {new} is no longer counted; add {_REQUESTS}{new}"
                )


def _renamed(rows: Iterable[AuditRow]) -> set[tuple[str, str]]:
    return {
        (each.request.resource, each.offer.resource)
        for row in rows
        if row.result.verdict.allowed
        for each in row.result.verdict.allocations
        if each.request.resource != each.offer.resource
    }
