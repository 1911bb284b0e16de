"""A recorded decision compared with what would be decided now."""

from collections.abc import Mapping
from typing import Final

from webhook.cli.cluster.dry_run.outcome import Now
from webhook.core.api.reason import Group
from webhook.core.checks.registry import REASONS
from webhook.core.gpu.strategies import FALLBACK
from webhook.core.policy.values import Otherwise, Row, SeveralGpus
from webhook.core.record_values import ContainerChange, DecisionRecord

_OF_NODES: Final = {code for code, each in REASONS.items() if each.group is Group.CLUSTER}
"""Refusals that say something of the nodes and nothing of the pod."""


def difference(recorded: DecisionRecord, now: Now, row: Row) -> str | None:
    """Say why the two differ. It is None where they are the same.

    The first that is true: the workload or tenant is another, the pod asks for something else,
    the policy's row has not got the strategy any more, the nodes offer something else.
    """
    if _same(recorded, now):
        return None
    other = besides(recorded, now)
    if other is not None:
        return other
    if now.changes and _asked(now.changes) != _asked(recorded.containers):
        return "its pod template requests something else now"
    return _of_policy(recorded, now, row) or "the nodes offer something else now"


def besides(recorded: DecisionRecord, now: Now) -> str | None:
    """What changed of the pod itself, whatever comes of it: its workload or its tenant."""
    if now.workload != recorded.workload:
        return (
            f"it is {now.workload} now and was {recorded.workload}: a label or the policy changed"
        )
    if now.tenant != recorded.tenant:
        was, is_ = recorded.tenant or "nobody", now.tenant or "nobody"
        return f"its tenant is {is_} now and was {was}: a label of it or its namespace changed"
    return None


def _of_policy(recorded: DecisionRecord, now: Now, row: Row) -> str | None:
    gone = {each.strategy or "" for each in recorded.containers} - _possible(row)
    if gone:
        return f"the policy does not have {', '.join(sorted(gone))} for it any more"
    if not now.allowed and not {cause.reason for cause in now.causes} <= _OF_NODES:
        return "what is allowed changed, in the policy or in its pod template"
    return None


def _same(recorded: DecisionRecord, now: Now) -> bool:
    if not now.allowed:
        return False
    if not now.changes:  # audit mode tells the strategy only
        return now.strategy == recorded.strategy
    return _got(now.changes) == _got(recorded.containers)


def _got(
    changes: tuple[ContainerChange, ...],
) -> Mapping[str, tuple[str | None, Mapping[str, int]]]:
    return {each.name: (each.strategy, each.given) for each in changes}


def _asked(changes: tuple[ContainerChange, ...]) -> Mapping[str, Mapping[str, int]]:
    return {each.name: each.requested for each in changes}


def _possible(row: Row) -> frozenset[str]:
    """The strategies that a row can lead to."""
    listed = frozenset(choice.strategy.value for choice in row.choices)
    whole = Otherwise.EXCLUSIVE is row.otherwise or SeveralGpus.EXCLUSIVE is row.several_gpus
    return listed | {FALLBACK.value} if whole else listed
