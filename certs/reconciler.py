"""One reconciliation: read, decide, write what differs. It keeps nothing for the next one.

What is written is read first, and the authority last: whoever is late or was suspended holds
older versions of all of it, so its writes end as conflicts instead of undoing newer ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from certs import api, names, secrets
from certs.authority import Authority, ClusterView, Served
from certs.reasons import CertReason, Problem
from certs.reporter import Reporter
from certs.rotation import Rotation, RotationRules
from certs.secrets import Json
from certs.webhook_configuration import (
    ServiceName,
    WebhookConfiguration,
    bundle_patch,
    read_configuration,
)
from webhook.kube.client import ApiClient
from webhook.kube.errors import ApiError

ATTEMPTS: Final = 3  # in a row that may lose a race, then the next interval's turn

WallClock = Callable[[], datetime]  # monotonic clocks stop while a machine is suspended


@dataclass(frozen=True, slots=True)
class ManagedObjects:
    """Our Service, the names of both Secrets, and the paths of the configurations."""

    service: ServiceName
    serving: str
    authority: str
    configurations: tuple[str, ...]

    @property
    def secrets_path(self) -> str:
        """The path of the Secrets, which are in the namespace of the Service."""
        return names.secrets_path(self.service.namespace)


@dataclass(frozen=True, slots=True)
class Observed:
    """What was found in the cluster, before anything was changed."""

    configurations: tuple[WebhookConfiguration, ...]
    view: ClusterView
    serving: Json | None
    authority: Json | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How it ended. `steady`: everything was in place before, so nothing was changed."""

    now: datetime
    authority: Authority
    configurations: tuple[WebhookConfiguration, ...]
    problems: tuple[Problem, ...]
    steady: bool


class Reconciler:
    """Brings Secrets and caBundles of a cluster to what they should be."""

    def __init__(
        self,
        client: ApiClient,
        objects: ManagedObjects,
        rules: RotationRules,
        reporter: Reporter,
    ) -> None:
        self._client, self._objects, self._rules = client, objects, rules
        self._report_change = reporter.report_change

    async def reconcile(self, clock: WallClock) -> Reconciled:
        """Read everything and write what differs.

        Raise ApiError.

        A lost race is read and judged anew at once, and raises only the third time.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._attempt(clock)
            except ApiError as error:
                if not error.conflict:
                    raise
                self._report_change("lost a race", CertReason.RACED, answer=str(error))
        return await self._attempt(clock)

    async def _attempt(self, clock: WallClock) -> Reconciled:
        found = await self._observe()
        # After reading: nothing that was read is younger. By the API server's clock, which is what
        # certificates must be valid by.
        now = clock() + self._client.ahead
        rotation = Rotation(secrets.read_authority(found.authority), found.view, self._rules, now)
        change = rotation.next_change()
        if change is not None:
            await self._store(found.authority, change.authority, change.reason)
            rotation = Rotation(change.authority, found.view, self._rules, now)
        to_serve = rotation.authority.to_serve
        done = [await self._set_bundle(each, to_serve.bundle) for each in found.configurations]
        done.append(await self._serve(found, to_serve, may_serve=rotation.may_serve()))
        problems = (*found.problems, *(each for each in done if isinstance(each, Problem)))
        steady = change is None and not any(done)
        return Reconciled(now, rotation.authority, found.configurations, problems, steady)

    async def _observe(self) -> Observed:
        read = [await self._read_configuration(path) for path in self._objects.configurations]
        found = tuple(each for each in read if isinstance(each, WebhookConfiguration))
        problems = [each for each in read if isinstance(each, Problem)]
        serving = await self._read_secret(self._objects.serving)
        view = ClusterView(
            bundles=tuple(entry.bundle for each in found for entry in each.entries),
            served=secrets.read_served(serving),
            # One that does not exist calls nobody, and is no reason to wait.
            complete=not any(each.reason is CertReason.CONFIGURATION_FAILED for each in problems),
        )
        problems += [problem for each in found for problem in each.problems]
        authority = await self._read_secret(self._objects.authority)
        return Observed(found, view, serving, authority, tuple(problems))

    async def _read_configuration(self, path: str) -> WebhookConfiguration | Problem:
        try:
            found = await api.read_object(self._client, path)
        except ApiError as error:
            return Problem(CertReason.CONFIGURATION_FAILED, path, str(error))
        if found is None:
            return Problem(CertReason.CONFIGURATION_MISSING, path)
        return read_configuration(path, found, self._objects.service)

    async def _read_secret(self, name: str) -> Json | None:
        return await api.read_object(self._client, f"{self._objects.secrets_path}/{name}")

    async def _store(self, present: Json | None, authority: Authority, reason: CertReason) -> None:
        name = self._objects.authority
        await self._write_secret(present, secrets.authority_secret(name, authority))
        phase = authority.phase.value
        self._report_change("authority written", reason, secret=name, phase=phase)

    async def _set_bundle(self, found: WebhookConfiguration, bundle: bytes) -> bool | Problem:
        """Return whether the caBundle was patched.

        One that fails does not stop the other.
        """
        patch = bundle_patch(found, bundle)
        if not patch:
            return False
        try:
            await api.send(self._client, "PATCH", found.path, patch)
        except ApiError as error:
            if error.conflict:
                raise
            return Problem(CertReason.CONFIGURATION_FAILED, found.path, str(error))
        fields = {"configuration": found.path}
        self._report_change("caBundle patched", CertReason.BUNDLE_DIFFERS, **fields)
        return True

    async def _serve(self, found: Observed, wanted: Served, *, may_serve: bool) -> bool | Problem:
        if found.view.served == wanted:
            return False
        name = self._objects.serving
        if not may_serve:
            return Problem(CertReason.BUNDLE_NOT_HELD, name)
        await self._write_secret(found.serving, secrets.serving_secret(name, wanted))
        missing, differs = CertReason.SECRET_MISSING, CertReason.SECRET_DIFFERS
        reason = missing if found.serving is None else differs
        self._report_change("serving Secret written", reason, secret=name)
        return True

    async def _write_secret(self, present: Json | None, wanted: Json) -> None:
        path = self._objects.secrets_path
        if present is None:
            await api.send(self._client, "POST", path, wanted)
            return
        content = secrets.with_content_of(present, wanted)
        await api.send(self._client, "PUT", f"{path}/{wanted['metadata']['name']}", content)
