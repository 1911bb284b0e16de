"""What explains a workload, as tools get it. The keys are an interface."""

from typing import Any

from webhook.cli.cluster import times
from webhook.cli.cluster.dry_run import outcome
from webhook.cli.cluster.dry_run.outcome import Untried
from webhook.cli.verbs.why import denials
from webhook.cli.verbs.why.collect import Diagnosed, Trial
from webhook.cli.verbs.why.denials import Refused
from webhook.core.checks.registry import REASONS
from webhook.core.record_values import Cause


def why_record(made: Diagnosed) -> dict[str, Any]:
    """Return everything about the workload."""
    members = made.members
    root = members.root
    states, got = made.counts
    return {
        "namespace": members.namespace,
        "kind": root.kind,
        "name": root.metadata.name,
        "mode": made.rules.mode,
        "state": made.state.value,
        "wanted": denials.wanted_pods(members),
        "pods": {"count": len(members.pods), "states": dict(states), "strategies": dict(got)},
        "refusals": [_refusal_record(each) for each in made.refused],
        "waiting": made.waiting,
        "now": [_trial_record(each) for each in made.trials],
        "notes": list(made.notes),
        "missing": [each.record for each in made.missing],
    }


def _trial_record(each: Trial) -> dict[str, Any]:
    if isinstance(each.now, Untried):
        return {"template": each.anew.source, "decided": None, "why": each.now.why}
    return {"template": each.anew.source, "decided": outcome.to_record(each.now), "why": None}


def _refusal_record(each: Refused) -> dict[str, Any]:
    """One refusal, with what to do about each thing that is wrong."""
    return {
        "by": each.refusal.by.value,
        "now": each.now,
        "of": each.whose,
        "count": each.count,
        "first": times.clock(each.first),
        "last": times.clock(each.last),
        "wrong": [_cause_record(cause) for cause in each.refusal.causes],
    }


def _cause_record(cause: Cause) -> dict[str, Any]:
    code = REASONS.get(cause.reason)
    return {
        "reason": cause.reason or None,
        "sentence": code.sentence if code else None,
        "message": cause.text,
        "toDo": code.to_do if code else None,
    }
