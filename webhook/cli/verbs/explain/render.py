"""One pod's GPU decision as a person reads it, and as tools do."""

from collections.abc import Iterator
from typing import Any

import msgspec

from webhook.cli import output, policy_texts
from webhook.cli.cluster.dry_run import diff, outcome
from webhook.cli.cluster.dry_run import render as dry_run
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.inspect import provenance
from webhook.cli.output import Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.explain.collect import Explained, added_affinity
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.policy.values import Row, RowName


def render(made: Explained) -> Rendering:
    """Return what is known of the pod, what was decided, and what would be now."""
    return Rendering(_record(made), tuple(_screen(made)))


def _screen(made: Explained) -> Iterator[Paragraph]:
    yield output.pairs(_facts(made))
    yield Text()
    yield from _recorded(made)
    yield Text()
    yield from _now(made)


def _facts(made: Explained) -> Iterator[tuple[str, str | None]]:
    live, place = made.live, made.rules.place
    tenant = provenance.of_tenant(live.labels, place.labels)
    yield "Pod", f"{live.meta.name} ({live.state})"
    yield "Namespace", made.rules.where
    yield "Workload", f"{made.facts.workload} ({made.facts.source})"
    yield "Tenant", f"{made.facts.tenant} ({tenant})" if made.facts.tenant else "none"
    yield (
        "Policy",
        f"{policy_texts.row_sentence(made.row_name, made.row)}\n({made.rules.policy_source})",
    )
    yield "Node", live.pod.spec.node_name or "none yet"
    listed = added_affinity(live)
    if listed:
        yield "Node affinity", "\n".join(listed)


def _recorded(made: Explained) -> Iterator[Paragraph]:
    if not made.facts.requests:
        yield Text("It requests no GPU, so it is left as it is.")
    elif made.decision is not None and made.agrees:
        yield Text(("As the pod's annotation says:", "bold"))
        yield dry_run.render_changes(made.decision.containers)
    else:
        yield Text((_unrecorded(made), "yellow" if made.unreviewed else ""))
        requested = [
            f"{ask.container.name}: {ask.count} {ask.resource}" for ask in made.facts.requests
        ]
        yield output.indented("What it requests: " + ", ".join(requested) + ".")


def _unrecorded(made: Explained) -> str:
    if made.decision is not None:
        return (
            "The pod's annotation tells of a decision that does not fit what the pod requests: "
            "somebody wrote it."
        )
    if names.DECISION in (made.live.meta.annotations or {}):
        return "The pod's annotation says nothing that the webhook could have written."
    if made.unreviewed:
        return (
            "The webhook never reviewed this pod: it was created before the namespace opted in, or "
            "by a user whom the policy exempts, or while the webhook was down and pods could pass. "
            "To have it reviewed, delete it, so that it is created again."
        )
    return "The webhook did not change this pod."


def _now(made: Explained) -> Iterator[Paragraph]:
    head = Text(("If it were created now: ", "bold"))
    if made.now is None:
        yield from _never(made, head)
    elif isinstance(made.now, Untried):
        yield from dry_run.render_untried(head, made.now)
    else:
        if made.now.kept_out:
            head += Text((f"refused {made.now.kept_out.words}; without that ", "red"))
        yield head + _outcome(made, made.now)
        yield from dry_run.render_outcome(
            made.now, changes=made.difference is not None or made.decision is None
        )
        if made.rules.place.mode is Mode.AUDIT:
            yield output.indented(
                "The namespace only audits: nothing is really changed or refused."
            )
        yield from dry_run.render_source(made.now, made.source)
    yield from dry_run.render_missing(made.rules.missing)


def _never(made: Explained, head: Text) -> Iterator[Paragraph]:
    place = made.rules.place
    if not made.rules.known:
        yield head + Text("not known, since the namespace's labels cannot be read.")
    elif place.mode is None:
        yield head + Text(f"left as it is: namespace {place.namespace} is not opted in.")
        yield output.indented(f"What would be:  gpu-sharing audit -n {place.namespace}")
        yield output.indented(
            f"To opt in:      kubectl label namespace {place.namespace} {names.MODE}=audit"
        )
    else:
        yield head + Text("left as it is.")


def _outcome(made: Explained, now: Now) -> Text:
    why = f", since {made.difference}" if made.difference else ""
    if not now.allowed:
        return Text((f"refused{why}.", "bold red"))
    if made.difference is None and made.decision is not None and made.agrees:
        besides = diff.besides(made.decision, now)
        return Text((f"the same{f', although {besides}' if besides else ''}.", "green"))
    return Text((f"{now.strategy or 'left as it is'}{why}.", "yellow" if why else ""))


def _record(made: Explained) -> dict[str, Any]:
    """What tools get. The keys are an interface."""
    place, facts = made.rules.place, made.facts
    labels = made.live.labels
    return {
        "namespace": place.namespace,
        "name": made.live.meta.name,
        "mode": made.rules.mode,
        "workload": facts.workload.value,
        "tenant": facts.tenant,
        "node": made.live.pod.spec.node_name,
        "sources": {
            "workload": facts.source,
            "tenant": provenance.of_tenant(labels, place.labels),
            "policy": made.rules.policy_source,
        },
        "requests": [
            {"name": a.container.name, "resource": a.resource, "count": a.count}
            for a in facts.requests
        ],
        "decision": _decision(made),
        "nodeAffinity": added_affinity(made.live),
        "unreviewed": made.unreviewed,
        "row": _row(made.row_name, made.row),
        "now": _now_record(made),
        "missing": [each.record for each in made.missing],
    }


def _decision(made: Explained) -> dict[str, Any] | None:
    if made.decision is None:
        return None
    whole: dict[str, Any] = msgspec.to_builtins(made.decision)
    kept = {key: whole[key] for key in ("workload", "tenant", "containers")}
    return {**kept, "strategy": made.decision.strategy, "agrees": made.agrees}


def _row(name: RowName, row: Row) -> dict[str, Any]:
    choices = [{"strategy": each.strategy.value, "on": list(each.on)} for each in row.choices]
    return {
        "name": name.value,
        "strategies": choices,
        "otherwise": row.otherwise.value,
        "severalGpus": row.several_gpus.value,
        "memory": row.memory,
    }


def _now_record(made: Explained) -> dict[str, Any] | None:
    """What would be decided now, for tools."""
    if made.now is None:
        return None
    if isinstance(made.now, Untried):
        return {"decided": None, "same": None, "why": made.now.why}
    comparable = made.decision is not None and made.agrees
    same = made.difference is None if comparable else None
    return {"decided": outcome.to_record(made.now), "same": same, "why": made.difference}
