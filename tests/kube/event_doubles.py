"""Events for the tests: builders, what counts their results, and reads them from the fake API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fake_apiserver.paths import parse_path
from webhook.core.api import denials, reasons
from webhook.core.event import Action, Event, Regarding
from webhook.kube.events.rate_limit import Rate
from webhook.kube.events.recorder import EventResult, RecorderLimits

if TYPE_CHECKING:
    from tests.fake_apiserver.api import FakeApi

JOB = Regarding("batch/v1", "Job", "train", "uid-job")
SET = Regarding("apps/v1", "ReplicaSet", "web-6d4", "uid-set")
DEPLOYMENT = Regarding("apps/v1", "Deployment", "web", "uid-deployment")
SHOP = "/apis/events.k8s.io/v1/namespaces/shop/events"
SETS = "/apis/apps/v1/namespaces/shop/replicasets"
QUICK = RecorderLimits(rate=Rate(per_second=1e6, burst=1000), repeat=0.02)

RECORD = '{"workload":"training"}'


def refusal(note: str = "no", *, regarding: Regarding = JOB, namespace: str = "shop") -> Event:
    return Event(namespace, regarding, Action.REFUSED, denials.NO_OFFER, note, RECORD)


def rewrite(note: str = "a -> b", *, regarding: Regarding = JOB) -> Event:
    return Event("shop", regarding, Action.REWRITTEN, reasons.MIG_SLICE, note, RECORD)


def replica_set(name: str = "web-6d4", *, controller: Regarding | None = DEPLOYMENT) -> dict:
    owner = controller and {
        "apiVersion": controller.api_version,
        "kind": controller.kind,
        "name": controller.name,
        "uid": controller.uid,
        "controller": True,
    }
    return {"metadata": {"name": name, "ownerReferences": [owner] if owner else None}}


class Counts:
    """Adds the results up."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def __call__(self, result: EventResult, number: int) -> None:
        """Take a result."""
        self.of[result.value] += number


def settled(counts: Counts, number: int) -> Callable[[], bool]:
    """Whether so many events have a result."""
    return lambda: sum(counts.of.values()) == number


def stored(api: FakeApi) -> list[dict]:
    """Return the events of the namespace as the API server has them."""
    return api.store.listed(parse_path(SHOP))


def vanish(api: FakeApi) -> None:
    """Let the first event be deleted."""
    api.store.remove(f"{SHOP}/{stored(api)[0]['metadata']['name']}")


def sent(api: FakeApi, verb: str) -> int:
    """Return the number of requests of a verb (create, patch) so far."""
    return [each for each, _ in api.writes()].count(verb)


def count_of(event: dict) -> int:
    return event.get("series", {}).get("count", 1)
