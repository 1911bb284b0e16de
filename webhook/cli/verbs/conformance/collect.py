"""The cluster's answer to each probe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from webhook.cli.cluster import resources
from webhook.cli.cluster.client import ClusterClient, metadata
from webhook.cli.inspect import denial
from webhook.cli.inspect.denial import By
from webhook.cli.manifests import InputError
from webhook.cli.verbs.conformance.probes import Probe, load_probes
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.checks.check import Treatment
from webhook.core.checks.registry import REASONS
from webhook.core.integrations import kubernetes
from webhook.core.policy.values import Policy, treatment
from webhook.kube.errors import ApiError


class ProbeState(StrEnum):
    """What a probe shows.

    | the pod | outcome |
    |---|---|
    | is refused by the webhook or the backstop for the probe's check | holds |
    | is refused by somebody else, or for another reason | other |
    | is taken, and the policy only warns or does nothing | policy |
    | is taken, and the policy refuses it | open |
    | could not be judged, since the webhook did not answer | silent |
    """

    HOLDS = "holds"
    OTHER = "other"
    POLICY = "policy"
    OPEN = "open"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """One probe, what it shows, and the answer in a few words."""

    probe: Probe
    outcome: ProbeState
    answer: str


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """All probes in one namespace."""

    namespace: str
    tenant: str | None
    policy: str
    probes: tuple[ProbeOutcome, ...]


def namespace_labels(client: ClusterClient, namespace: str) -> Mapping[str, str]:
    """Return the labels of a namespace that enforces.

    Raises:
        InputError: it does not, so nothing would be refused there.
        Unavailable: it cannot be read.
    """
    labels: Mapping[str, str] = (
        metadata(client.get(resources.NAMESPACE, namespace)).get("labels") or {}
    )
    if labels.get(names.MODE) != Mode.ENFORCE:
        raise InputError(
            f"namespace {namespace} does not enforce: nothing is refused there; name one that "
            f"does with -n (label {names.MODE}={Mode.ENFORCE})"
        )
    return labels


def send_probes(
    client: ClusterClient, namespace: str, policy: Policy, *, isolated: bool
) -> Iterator[ProbeOutcome]:
    """Send each probe as a dry run and yield what it shows.

    Raises:
        Unavailable: pods may not be created there, or the cluster does not answer.
    """
    for probe in load_probes():
        try:
            client.try_create(kubernetes.POD, probe.build_pod(), namespace)
        except ApiError as failure:
            yield _refused(probe, failure)
        else:
            expected = treatment(policy, REASONS[probe.check], isolated=isolated)
            outcome = ProbeState.OPEN if expected is Treatment.REFUSE else ProbeState.POLICY
            yield ProbeOutcome(probe, outcome, _TAKEN[outcome])


_TAKEN: Final = {
    ProbeState.OPEN: "taken, although the policy refuses it",
    ProbeState.POLICY: "taken: the policy lets it",
}


def _refused(probe: Probe, failure: ApiError) -> ProbeOutcome:
    found = denial.read_denial(failure.message, failure.causes)
    if found.by is By.NO_ANSWER:
        return ProbeOutcome(probe, ProbeState.SILENT, found.text)
    codes = {each.reason for each in found.causes}
    if found.by is By.OTHERS:
        return ProbeOutcome(probe, ProbeState.OTHER, f"refused by others: {found.text}")
    if probe.check in codes:
        return ProbeOutcome(probe, ProbeState.HOLDS, f"refused by the {found.by}")
    reasons = ", ".join(sorted(filter(None, codes))) or found.text
    return ProbeOutcome(probe, ProbeState.OTHER, f"refused for another reason: {reasons}")
