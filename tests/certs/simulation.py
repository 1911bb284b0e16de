"""A cluster in simulated time: which leaf any replica may serve, which caBundle may be in force.

It is stricter than a cluster. A leaf that a keeper wrote counts as served until `KUBELET` after
a keeper wrote another; a caBundle as in force until `API` after the next: every pair of the two
must verify, at every write and every tick. What vandals write is not the keeper's fault; but it
takes nothing off the list either, since some replica or API server may have missed it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from certs_api import (
    AUTHORITY,
    CONFIGURATIONS,
    NAMESPACE,
    SERVICE,
    SERVING,
    ObjectStore,
    direct,
)
from minting import NAMES, NOW, cert_of, verifies

from certs import pki, stored
from certs.client import Api, ApiError, Json, Request
from certs.keeper import Keeper, Outcome, Place
from certs.pki import Pair
from certs.rotation import Rules
from certs.state import Phase, phase

API = timedelta(seconds=5)  # until an API server uses a new caBundle
KUBELET = timedelta(seconds=40)  # until a replica serves a new leaf
INTERVAL = timedelta(seconds=10)
RULES = Rules(NAMES, spread=timedelta(seconds=20), settle=timedelta(seconds=50))
PLACE = Place(NAMESPACE, SERVICE, "gpu-sharing-tls", "gpu-sharing-authority", CONFIGURATIONS)


@dataclass
class Version:
    """Something that a keeper wrote, in force from then until a while after the next."""

    content: bytes
    until: datetime | None = None


class Cluster:
    """The store, the clock, and the history of what keepers wrote."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.now = NOW
        self.rules = rules
        self.store = ObjectStore()
        self.store.install()
        self.store.written = self._written
        self.leaves: list[Version] = []
        self.bundles: dict[str, list[Version]] = defaultdict(list)
        self.backups: list[Json] = []
        self.told: list[tuple[str, str]] = []

    def keeper(self, api: Api | None = None) -> Keeper:
        """A keeper of this cluster; they keep nothing between looks, so any is as good."""
        return Keeper(api or direct(self.store), PLACE, self.rules, self._hear)

    def look(self, api: Api | None = None) -> Outcome | None:
        """Let a keeper look once; None if the API server failed it."""
        try:
            return self.keeper(api).look(lambda: self.now)
        except ApiError:
            return None

    def interrupted(self, at: int, looks: int, pause: timedelta) -> None:
        """Let a keeper look, suspended before its request number `at` while another looks."""
        count = 0
        call = direct(self.store)

        def suspended(request: Request) -> Json:
            nonlocal count
            count += 1
            if count == at:
                for _ in range(looks):
                    self.look()
                    self.advance(pause)
            return call(request)

        self.look(suspended)

    def advance(self, time: timedelta) -> None:
        """Let time pass, and check at its end."""
        self.now += time
        self.check()

    def check(self) -> None:
        """Every leaf that may be served verifies by every caBundle that may be in force."""
        for leaf in self._in_force(self.leaves):
            for path, versions in self.bundles.items():
                for bundle in self._in_force(versions):
                    # What ended did so because no keeper looked for months.
                    if self._is_alive(leaf) and self._is_alive(bundle):
                        assert verifies(leaf, bundle, self.now), (path, self.now, self.told)

    def _is_alive(self, pem: bytes) -> bool:
        return any(self.now < cert.not_valid_after_utc for cert in pki.read_certs(pem))

    # What vandals do.

    def forget(self, path: str) -> None:
        """Delete an object; a configuration that is gone calls nobody."""
        self.store.objects.pop(path, None)
        self.bundles.pop(path, None)
        self._excuse()

    def reinstall(self, path: str) -> None:
        """Install a configuration as a chart does: without a caBundle."""
        fresh = ObjectStore()
        fresh.install()
        self.store.put(path, fresh.objects[path])
        self._excuse()

    def damage(self, path: str, key: str, content: bytes | None) -> None:
        """Overwrite or remove one key of a Secret."""
        if path not in self.store.objects:
            return
        if content is None:
            self.store.edit(path, lambda item: item["data"].pop(key, None))
        else:
            self.store.edit(path, lambda item: item["data"].update({key: stored.encoded(content)}))
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
            self.store.put(AUTHORITY, self.backups[backup % len(self.backups)])
            self._excuse()

    # The books.

    def _written(self, path: str, item: Json) -> None:
        """Note what a keeper wrote, and check at once."""
        if path == AUTHORITY:
            self.backups.append(item)
        elif path == SERVING:
            self._supersede(self.leaves, stored.read_served(item).leaf.cert, KUBELET)
        else:
            for entry in item["webhooks"]:
                if entry["clientConfig"]["service"]["name"] == SERVICE:
                    bundle = stored.decoded(entry["clientConfig"]["caBundle"])
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
        secrets = [self.store.objects.get(path) for path in (AUTHORITY, SERVING)]
        state, served = stored.read_state(secrets[0]), stored.read_served(secrets[1])
        known = [*pki.read_certs(state.ca.cert), *state.old, *pki.read_certs(served.bundle)]
        for path in CONFIGURATIONS:
            for entry in self.store.objects.get(path, {}).get("webhooks", ()):
                known += pki.read_certs(stored.decoded(entry["clientConfig"].get("caBundle")))
        self.leaves[:] = [
            each
            for each in self.leaves
            if any(pki.is_signed(cert_of(Pair(each.content)), ca) for ca in known)
        ]

    def _hear(self, event: str, /, **fields: object) -> None:
        self.told.append((event, str(fields["reason"])))

    # The end.

    def is_healed(self) -> bool:
        """Whether what is served verifies by every caBundle, right now and in the store."""
        served = stored.read_served(self.store.objects.get(SERVING)).leaf.cert
        return all(
            verifies(served, stored.decoded(entry["clientConfig"].get("caBundle")), self.now)
            for path in CONFIGURATIONS
            for entry in self.store.objects[path]["webhooks"]
            if entry["clientConfig"]["service"]["name"] == SERVICE
        )

    def is_steady(self) -> bool:
        """Whether a further look changes nothing, and no rotation is under way."""
        outcome = self.look()
        return (
            outcome is not None
            and outcome.steady
            and not outcome.problems
            and phase(outcome.state) is Phase.STEADY
        )


def _set_bundles(item: Json, bundle: bytes) -> None:
    for entry in item["webhooks"]:
        entry["clientConfig"]["caBundle"] = stored.encoded(bundle)
