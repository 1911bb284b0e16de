"""The failurePolicy of webhooks: Ignore until a refusal was seen, then the configured one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from certs import api
from certs.probe import ProbeResult, send_probes
from certs.reasons import CertReason, Problem
from certs.reconciler import Reconciled
from certs.reporter import Reporter
from certs.webhook_configuration import WebhookConfiguration, WebhookEntry, policy_patch
from webhook.kube.client import ApiClient
from webhook.kube.errors import ApiError


@dataclass(frozen=True, slots=True)
class Probing:
    """Where probe pods are sent, and how often again once Fail is set.

    None for never.
    """

    namespace: str | None = None
    again: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """The webhooks of a configuration that get their configured failurePolicy, and why."""

    configuration: WebhookConfiguration
    entries: tuple[WebhookEntry, ...]
    reason: CertReason


def policy_changes(
    found: WebhookConfiguration, refused_by: frozenset[str]
) -> tuple[PolicyChange, ...]:
    """Return the webhooks that get their configured failurePolicy.

    | configured | in force | its side refused its probe pod | |
    |---|---|---|---|
    | nothing | any | any | left to others |
    | Ignore | Fail | any | Ignore |
    | Fail | Ignore | yes | Fail |
    | Fail | Ignore | no | stays Ignore |
    """
    back = tuple(entry for entry in found.due if entry.wanted == "Ignore")
    proven = _waiting(found) if found.kind in refused_by else ()
    both = ((back, CertReason.IGNORE_CONFIGURED), (proven, CertReason.REFUSAL_PROVEN))
    return tuple(PolicyChange(found, entries, reason) for entries, reason in both if entries)


class FailurePolicies:
    """Brings failurePolicies into force.

    What it keeps is the last result of the probes.
    """

    def __init__(self, client: ApiClient, probing: Probing, reporter: Reporter) -> None:
        self._client, self._probing, self._reporter = client, probing, reporter
        self._last: tuple[datetime, ProbeResult] | None = None

    async def reconcile(self, seen: Reconciled) -> tuple[Problem, ...]:
        """Set what is due and return what is in the way.

        Only after a reconciliation that found everything in place: before that, a webhook may
        fail for want of its certificate. Once nothing is due, the probes are still sent now and
        then if that is wanted; a missing refusal is reported, and never sets Ignore again: a
        webhook would silently stop to guard.
        """
        if not seen.steady:
            return ()
        waiting = any(map(_waiting, seen.configurations))
        probed = await (self._probe(seen.now) if waiting else self._probe_again(seen.now))
        changes = (
            change
            for each in seen.configurations
            for change in policy_changes(each, probed.refused_by)
        )
        failed = [await self._apply(change) for change in changes]
        return (*probed.problems, *(problem for problem in failed if problem is not None))

    async def _probe_again(self, now: datetime) -> ProbeResult:
        """Probe if it is time, else return the last result, which holds until then."""
        again = self._probing.again
        if again is None:
            return ProbeResult()
        if self._last is None or not self._last[0] <= now < self._last[0] + again:
            return await self._probe(now)
        return self._last[1]

    async def _probe(self, now: datetime) -> ProbeResult:
        namespace = self._probing.namespace
        if namespace is None:
            missing = Problem(CertReason.NO_PROBE_NAMESPACE, "probe namespace")
            return ProbeResult(problems=(missing,))
        result = await send_probes(self._client, namespace)
        self._last = (now, result)
        return result

    async def _apply(self, change: PolicyChange) -> Problem | None:
        path = change.configuration.path
        try:
            patch = policy_patch(change.configuration, change.entries)
            await api.send(self._client, "PATCH", path, patch)
        except ApiError as error:
            # One that changed since it was read is read again by the next reconciliation.
            failed = Problem(CertReason.CONFIGURATION_FAILED, path, str(error))
            return None if error.conflict else failed
        for entry in change.entries:
            fields = {"configuration": path, "webhook": entry.name, "policy": entry.wanted}
            self._reporter.report_change("failurePolicy set", change.reason, **fields)
        return None


def _waiting(found: WebhookConfiguration) -> tuple[WebhookEntry, ...]:
    """The webhooks that become Fail once they are proven."""
    return tuple(entry for entry in found.due if entry.wanted == "Fail")
