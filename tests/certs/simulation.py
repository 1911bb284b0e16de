"""A cluster in simulated time: which leaf any replica may serve, which caBundle may be in force.

It is stricter than a cluster. A leaf that a reconciler wrote counts as served until `KUBELET` after
one wrote another; a caBundle as in force until `API` after the next: every pair of the two
must verify, at every write and every tick. What vandals write is not the controller's fault; but it
takes nothing off the list either, since some replica or API server may have missed it.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from installed import AUTHORITY, CONFIGURATIONS, OBJECTS, SECRETS, SERVICE, SERVING, install
from minting import NAMES, NOW, cert_of, verifies

from certs import pki, secrets
from certs.authority import RotationPhase
from certs.pki import KeyPair
from certs.reasons import CertReason
from certs.reconciler import Reconciled, Reconciler
from certs.rotation import RotationRules
from certs.secrets import Json
from tests.fake_apiserver.api import FakeApi, Request
from tests.fake_apiserver.direct import DirectClient
from webhook.kube.api_request import ApiAnswer
from webhook.kube.errors import ApiError

T = TypeVar("T")

API = timedelta(seconds=5)  # until an API server uses a new caBundle
KUBELET = timedelta(seconds=40)  # until a replica serves a new leaf
INTERVAL = timedelta(seconds=10)
RULES = RotationRules(NAMES, spread=timedelta(seconds=20), settle=timedelta(seconds=50))


@dataclass
class Version:
    """Something that a controller wrote, in force from then until a while after the next."""

    content: bytes
    until: datetime | None = None


class NotedClient(DirectClient):
    """Has the cluster note what is written."""

    def __init__(self, cluster: Cluster, before: Callable[[Request], object]) -> None:
        super().__init__(cluster.api, before)
        self._cluster = cluster
        self.ahead = -cluster.wrong

    async def send(self, method: str, path: str, body: Any, *, timeout: float) -> ApiAnswer:
        """Send a body; raise ApiError."""
        answer = await super().send(method, path, body, timeout=timeout)
        item = json.loads(answer.body)
        path = f"{path}/{item['metadata']['name']}" if method == "POST" else path
        self._cluster.note(path, item)
        return answer


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


class Cluster:
    """The store, the clock, and the history of what controllers wrote."""

    def __init__(self, rules: RotationRules = RULES) -> None:
        self.now = NOW
        self.wrong = timedelta()
        self.rules = rules
        self.api = FakeApi()
        self.store = self.api.store
        install(self.store, *CONFIGURATIONS)
        self.leaves: list[Version] = []
        self.bundles: dict[str, list[Version]] = defaultdict(list)
        self.backups: list[Json] = []
        self.told: list[tuple[str, str]] = []

    def reconcile(self, before: Callable[[Request], object] = lambda _: None) -> Reconciled | None:
        """Reconcile once; None if the API server failed it.

        A reconciler keeps nothing for the next time, so a new one is as good. `before` is called
        with each request first.
        """
        client = NotedClient(self, before)
        reconciler = Reconciler(client, OBJECTS, self.rules, self)
        try:
            return finish(reconciler.reconcile(lambda: self.now + self.wrong))
        except ApiError:
            return None

    def interrupted(self, at: int, times: int, pause: timedelta) -> None:
        """Reconcile, suspended before request number `at` while another process does so."""
        count = 0

        def suspend(_: Request) -> None:
            nonlocal count
            count += 1
            if count == at:
                for _ in range(times):
                    self.reconcile()
                    self.advance(pause)

        self.reconcile(suspend)

    def advance(self, time: timedelta) -> None:
        """Let time pass, and check at its end."""
        self.now += time
        self.check()

    def check(self) -> None:
        """Every leaf that may be served verifies by every caBundle that may be in force."""
        for leaf in self._in_force(self.leaves):
            for path, versions in self.bundles.items():
                for bundle in self._in_force(versions):
                    # What ended did so because no controller looked for months.
                    if self._is_alive(leaf) and self._is_alive(bundle):
                        assert verifies(leaf, bundle, self.now), (path, self.now, self.told)

    def _is_alive(self, pem: bytes) -> bool:
        return any(self.now < cert.not_valid_after_utc for cert in pki.read_certs(pem))

    # What vandals do.

    def set_clock(self, wrong: timedelta) -> None:
        """Set the keepers' clock ahead of the API server's, or back."""
        self.wrong = wrong

    def forget(self, path: str) -> None:
        """Delete an object; a configuration that is gone calls nobody."""
        self.store.objects.pop(path, None)
        self.bundles.pop(path, None)
        self._excuse()

    def reinstall(self, path: str) -> None:
        """Install a configuration as a chart does: without a caBundle."""
        install(self.store, path)
        self._excuse()

    def damage(self, path: str, key: str, content: bytes | None) -> None:
        """Overwrite or remove one key of a Secret."""
        if path not in self.store.objects:
            return
        if content is None:
            self.store.edit(path, lambda item: item["data"].pop(key, None))
        else:
            self.store.edit(
                path, lambda item: item["data"].update({key: secrets.encode_base64(content)})
            )
        self._excuse()

    def serve_foreign(self) -> None:
        """Put a good pair of a CA that nobody trusts where the server reads it."""
        leaf = pki.issue_leaf(pki.issue_ca(self.now), NAMES, self.now)
        self.damage(SERVING, "tls.crt", leaf.cert)
        self.damage(SERVING, "tls.key", leaf.key)

    def break_bundle(self, path: str, kind: str) -> None:
        """Replace the caBundles of a configuration."""
        bad = {"empty": b"", "garbage": b"garbage", "foreign": pki.issue_ca(self.now).cert}[kind]
        if path in self.store.objects:
            self.store.edit(path, lambda item: _set_bundles(item, bad))
            self._excuse()

    def restore(self, backup: int) -> None:
        """Bring an earlier authority back."""
        if self.backups:
            self.store.put(SECRETS, copy.deepcopy(self.backups[backup % len(self.backups)]))
            self._excuse()

    # The books.

    def note(self, path: str, item: Json) -> None:
        """Note what a reconciler wrote, and check at once."""
        if path == AUTHORITY:
            self.backups.append(item)
        elif path == SERVING:
            self._supersede(self.leaves, secrets.read_served(item).leaf.cert, KUBELET)
        else:
            for entry in item["webhooks"]:
                if entry["clientConfig"]["service"]["name"] == SERVICE:
                    bundle = secrets.decode_base64(entry["clientConfig"]["caBundle"])
                    self._supersede(self.bundles[path], bundle, API)
        self.check()

    def _supersede(self, versions: list[Version], content: bytes, delay: timedelta) -> None:
        for version in versions:
            version.until = version.until or self.now + delay
        versions.append(Version(content))

    def _in_force(self, versions: list[Version]) -> list[bytes]:
        versions[:] = [each for each in versions if each.until is None or self.now < each.until]
        return list(dict.fromkeys(each.content for each in versions))

    def _excuse(self) -> None:
        """Strike off leaves whose CA is nowhere in the cluster any more: nobody can know it."""
        both = [self.store.objects.get(path) for path in (AUTHORITY, SERVING)]
        state, served = secrets.read_authority(both[0]), secrets.read_served(both[1])
        known = [*pki.read_certs(state.ca.cert), *state.old, *pki.read_certs(served.bundle)]
        for path in CONFIGURATIONS:
            for entry in self.store.objects.get(path, {}).get("webhooks", ()):
                known += pki.read_certs(
                    secrets.decode_base64(entry["clientConfig"].get("caBundle"))
                )
        self.leaves[:] = [
            each
            for each in self.leaves
            if any(pki.is_signed(cert_of(KeyPair(each.content)), ca) for ca in known)
        ]

    def report_change(self, event: str, reason: CertReason, **_: object) -> None:
        """Take what a Reporter is told."""
        self.told.append((event, reason.code))

    # The end.

    def is_healed(self) -> bool:
        """Whether what is served verifies by every caBundle, right now and in the store."""
        served = secrets.read_served(self.store.objects.get(SERVING)).leaf.cert
        return all(
            verifies(served, secrets.decode_base64(entry["clientConfig"].get("caBundle")), self.now)
            for path in CONFIGURATIONS
            for entry in self.store.objects[path]["webhooks"]
            if entry["clientConfig"]["service"]["name"] == SERVICE
        )

    def is_steady(self) -> bool:
        """Whether a further reconciliation changes nothing, and no rotation is under way."""
        outcome = self.reconcile()
        return (
            outcome is not None
            and outcome.steady
            and not outcome.problems
            and outcome.authority.phase is RotationPhase.STEADY
        )


def _set_bundles(item: Json, bundle: bytes) -> None:
    for entry in item["webhooks"]:
        entry["clientConfig"]["caBundle"] = secrets.encode_base64(bundle)
