"""The failurePolicy flip: from Ignore to the configured one once a refusal was really seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from certs import configuration
from certs.client import Api, ApiError, ConflictError, Request
from certs.configuration import Configuration, Entry
from certs.keeper import Outcome, Told
from certs.probe import Probed, probe
from certs.reasons import SENTENCES, Problem, Reason


@dataclass(frozen=True, slots=True)
class Probing:
    """Where probe pods are sent, or None; and how often again after the flip, or None for never."""

    namespace: str | None = None
    again: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Flips:
    """Which webhooks of a configuration get their configured failurePolicy now, and why."""

    configuration: Configuration
    entries: tuple[Entry, ...]
    reason: Reason


def decide(found: Configuration, refused_by: frozenset[str]) -> tuple[Flips, ...]:
    """Choose the webhooks that get their configured failurePolicy.

    | configured | in force | it refused a probe pod | |
    |---|---|---|---|
    | nothing | any | any | left to others |
    | Ignore | Fail | any | Ignore |
    | Fail | Ignore | yes | Fail |
    | Fail | Ignore | no | stays Ignore |
    """
    due = configuration.due(found)
    back = tuple(entry for entry in due if entry.wanted == "Ignore")
    proven = tuple(e for e in due if e.wanted == "Fail" and e.name in refused_by)
    both = ((back, Reason.IGNORE_CONFIGURED), (proven, Reason.REFUSAL_PROVEN))
    return tuple(Flips(found, entries, reason) for entries, reason in both if entries)


class Flipper:
    """Probes and flips; remembers only the last probe and its time."""

    def __init__(self, api: Api, probing: Probing, told: Told) -> None:
        self._api, self._probing, self._told = api, probing, told
        self._last: tuple[datetime, Probed] | None = None

    def look(self, outcome: Outcome) -> tuple[Problem, ...]:
        """Flip what may be flipped after a steady look; return what is in the way.

        A later failure of a probe is only told: a webhook that is down for a while must not
        silently stop to guard.
        """
        if not outcome.steady:
            return ()
        now = outcome.now
        waiting = tuple(_waiting(outcome.configurations))
        probed = self._probe(now) if waiting else self._probe_again(now)
        flips = [
            flip for each in outcome.configurations for flip in decide(each, probed.refused_by)
        ]
        failed = [problem for flip in flips for problem in self._flip(flip)]
        unproven = [entry for entry in waiting if entry.name not in probed.refused_by]
        if unproven and not probed.problems:
            names = ", ".join(entry.name for entry in unproven)
            failed.append(Problem(Reason.PROBE_REFUSED_BY_OTHER, names))
        return (*probed.problems, *failed)

    def _probe_again(self, now: datetime) -> Probed:
        """Probe if it is time, else give the last result: what was told holds until then."""
        again = self._probing.again
        if again is None:
            return Probed()
        if self._last is None or not self._last[0] <= now < self._last[0] + again:
            return self._probe(now)
        return self._last[1]

    def _probe(self, now: datetime) -> Probed:
        if self._probing.namespace is None:
            return Probed(problems=(Problem(Reason.NO_PROBE_NAMESPACE, "probe namespace"),))
        probed = probe(self._api, self._probing.namespace)
        self._last = (now, probed)
        return probed

    def _flip(self, flips: Flips) -> Iterable[Problem]:
        found = flips.configuration
        try:
            self._api(
                Request("PATCH", found.path, configuration.policy_patch(found, flips.entries))
            )
        except ConflictError:
            return ()  # it changed since it was read: the next look reads it anew
        except ApiError as error:
            return (Problem(Reason.CONFIGURATION_FAILED, found.path, str(error)),)
        for entry in flips.entries:
            self._told(
                "failurePolicy set",
                reason=flips.reason.value,
                why=SENTENCES[flips.reason],
                configuration=found.path,
                webhook=entry.name,
                policy=entry.wanted,
            )
        return ()


def _waiting(configurations: Iterable[Configuration]) -> Iterable[Entry]:
    """The webhooks that become Fail once they are proven."""
    for each in configurations:
        yield from (entry for entry in configuration.due(each) if entry.wanted == "Fail")
