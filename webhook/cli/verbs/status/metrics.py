"""Sections of the status from the replicas' metrics: certificate, policy, inventory, counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import replicas
from webhook.cli.cluster.client import ClusterClient, Forbidden, Unavailable
from webhook.cli.cluster.flags import Install
from webhook.cli.cluster.times import short
from webhook.cli.verbs.status import metrics_page
from webhook.cli.verbs.status.metrics_page import MetricsPage
from webhook.cli.verbs.status.section import Section
from webhook.core.api.quantity import counted

DAY: Final = 86400
LEAST_DAYS: Final = 7
MOST_AGE: Final = 300.0
"""Seconds: a watch of nodes that is well hears something every minute or so."""

_INSTEAD: Final = {
    "file": "an older one kept",
    None: "an older one kept",  # of replicas that do not tell
    "last_good": "the last good one used",
    "built_in": "the built-in one used",
}
_OFFERS: Final = (
    ("PRODUCT", "product"), ("STRATEGY", "strategy"), ("RESOURCE", "resource"),
    ("AMOUNT", "amount"),
)  # fmt: skip
_REASONS: Final = (("REASON", "reason"), ("TIMES", "times"))


@dataclass(frozen=True, slots=True)
class Pages:
    """The metrics of each replica that gave any, and why others gave none."""

    by_replica: Mapping[str, MetricsPage]
    silent: tuple[str, ...]

    @property
    def all(self) -> tuple[MetricsPage, ...]:
        """The pages without the names."""
        return tuple(self.by_replica.values())


def fetch(client: ClusterClient, where: Install) -> Pages:
    """Ask every replica for its metrics.

    Raises:
        Unavailable: none may be asked, or none answers.
    """
    found: dict[str, MetricsPage] = {}
    silent: list[str] = []
    for pod in replicas.list_replicas(client, where):
        try:
            found[pod.meta.name] = metrics_page.parse_metrics(
                client.read(replicas.metrics_path(where, pod))
            )
        except Forbidden:
            raise
        except Unavailable as error:
            silent.append(f"replica {pod.meta.name} gives no metrics: {error}")
    if not found:
        raise Unavailable("; ".join(silent) or "there is no replica that could be asked")
    return Pages(found, tuple(silent))


def certificate(pages: Pages, now: float) -> Section:
    """How long the serving certificate lasts, in the replica where it ends first."""
    ends = _values(pages, "gpu_sharing_certificate_not_after_seconds")
    if not ends:
        return Section(unseen="the replicas do not tell of it")
    days = (min(ends) - now) / DAY
    left = f"{days:.0f} days left" if days > 0 else f"expired {short(now - min(ends))} ago"
    wrong = () if days >= LEAST_DAYS else (f"the serving certificate: {left}",)
    return Section({"daysLeft": round(days, 1)}, (left,), wrong)


def policy(pages: Pages) -> Section:
    """Whether every replica decides by the newest policy."""
    data = [
        {
            "replica": name,
            "loads": _integer(page.value("gpu_sharing_policy_generation")),
            "stale": page.value("gpu_sharing_policy_stale") == 1,
            "source": _source(page),
        }
        for name, page in pages.by_replica.items()
    ]
    stale = [str(each["replica"]) for each in data if each["stale"]]
    loads = ", ".join(str(each["loads"]) for each in data)
    newest = f"{len(data) - len(stale)} of {len(data)} replicas have the newest"
    text = f"{newest}; loaded since they started: {loads}"
    return Section(data, (text,), tuple(_policy_wrong(data)))


def _source(page: MetricsPage) -> str | None:
    found = page.each("gpu_sharing_policy_source")
    return next((labels.get("source") for labels, n in found if n), None)


def _policy_wrong(data: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """What each replica decides by whose policy file is refused."""
    for source, meant in _INSTEAD.items():
        names = [each["replica"] for each in data if each["stale"] and each["source"] == source]
        if names:
            refused = f"the policy is refused and {meant} by {', '.join(names)}"
            yield f"{refused}; their logs say why (reload_refused)"


def inventory(pages: Pages) -> Section:
    """What the nodes offer, as the replica says that heard of them last."""
    age = _values(pages, "gpu_sharing_inventory_age_seconds")
    nodes = _values(pages, "gpu_sharing_inventory_nodes")
    page = min(pages.all, key=lambda each: each.value("gpu_sharing_inventory_age_seconds") or 0.0)
    offers = [
        {
            **{key: labels.get(key, "") for key in ("product", "strategy", "resource")},
            "amount": int(n),
        }
        for labels, n in page.each("gpu_sharing_inventory_offers")
        if n
    ]
    known_nodes = _integer(max(nodes, default=None))
    data = {"nodes": known_nodes, "ageSeconds": max(age, default=None)}
    head = f"{counted(known_nodes, 'node')}, last heard of {short(max(age, default=0))} ago"
    shown = (head, output.table(_OFFERS, offers)) if offers else (head,)
    known = any(page.each("gpu_sharing_inventory_offers") for page in pages.all)
    wrong = tuple(_inventory_wrong(nodes, age, empty=known and not offers))
    return Section(data | {"offers": offers}, shown, wrong)


def _inventory_wrong(nodes: Sequence[float], age: Sequence[float], *, empty: bool) -> Iterable[str]:
    if nodes and max(nodes) == 0:
        yield "the webhook knows of no nodes with GPUs"
    elif empty:
        yield "no node offers a GPU: are GPU Feature Discovery and the device plugin running?"
    if age and max(age) > MOST_AGE:
        yield f"a replica has not heard of the nodes for {short(max(age))}; see its log and /readyz"


def counts(pages: Pages) -> Section:
    """Refusals by reason, and events that were lost, since the replicas started."""
    reasons = metrics_page.by_label(pages.all, "gpu_sharing_refusals_total", "reason")
    events = metrics_page.by_label(pages.all, "gpu_sharing_events_total", "result")
    most = sorted(reasons.items(), key=lambda each: -each[1])
    rows = [{"reason": code, "times": n} for code, n in most]
    shown: tuple[Any, ...] = (output.table(_REASONS, rows),) if rows else ("none",)
    lost = {key: events[key] for key in ("dropped", "failed") if key in events}
    listed = ", ".join(f"{n} {key}" for key, n in lost.items())
    notes = (f"events that were lost: {listed}",) if lost else ()
    data = {"byReason": dict(most), "eventsLost": lost}
    return Section(data, shown, notes=(*notes, *pages.silent))


def versions(pages: Pages, own: str) -> Section:
    """The version of each replica, which may not be this command's."""
    found = {
        name: labels.get("version", "")
        for name, page in pages.by_replica.items()
        for labels, _ in page.each("gpu_sharing_build_info")
    }
    if not found:
        return Section(unseen="the replicas do not tell")
    others = sorted({f"{version} in {name}" for name, version in found.items() if version != own})
    notes = (f"this command is {own}, and {', '.join(others)}: upgrade one of them",)
    text = ", ".join(sorted(set(found.values())))
    return Section(found, (text,), notes=notes if others else ())


def unreviewed(pages: Pages) -> Section:
    """Pods with a GPU in enforcing namespaces that were not reviewed, as the replicas count."""
    if not any(page.value("gpu_sharing_unreviewed_look_seconds") for page in pages.all):
        return Section(unseen="the replicas do not look for them, or did not yet")
    found = metrics_page.by_label(pages.all, "gpu_sharing_unreviewed_pods", "namespace", max)
    listed = ", ".join(f"{number} in {name}" for name, number in found.items())
    wrong = (f"pods have a GPU and were not reviewed: {listed} (gpu-sharing pods --strategy none)",)
    return Section(found, (listed or "none",), wrong if found else ())


def _values(pages: Pages, name: str) -> list[float]:
    found = (page.value(name) for page in pages.all)
    return [value for value in found if value is not None]


def _integer(value: float | None) -> int | None:
    return None if value is None else int(value)
