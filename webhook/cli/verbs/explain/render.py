"""One pod's GPU decision as a person reads it; gathers nothing."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from webhook.cli.cluster import printing
from webhook.cli.cluster.dry_run import diff, render
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.inspect import provenance
from webhook.cli.verbs import policy
from webhook.cli.verbs.explain import collect
from webhook.cli.verbs.explain.collect import Explained
from webhook.core.api import names
from webhook.core.api.admission import Mode


def screen(made: Explained) -> Iterator[RenderableType]:
    """The whole screen."""
    yield printing.pairs(_facts(made))
    yield Text()
    yield from _recorded(made)
    yield Text()
    yield from _now(made)


def _facts(made: Explained) -> Iterator[tuple[str, str | None]]:
    live, place = made.live, made.rules.place
    workload = provenance.of_workload(live.labels, place.labels, place.policy)
    tenant = provenance.of_tenant(live.labels, place.labels)
    yield "Pod", f"{live.meta.name} ({live.state})"
    yield "Namespace", f"{place.namespace} ({_mode(made)})"
    yield "Workload", f"{made.facts.workload} ({workload})"
    yield "Tenant", f"{made.facts.tenant} ({tenant})" if made.facts.tenant else "none"
    yield "Policy", f"{policy.sentence(made.row_name, made.row)}\n({made.rules.policy_source})"
    yield "Node", live.pod.spec.node_name or "none yet"
    listed = collect.pins(live)
    if listed:
        yield "Pins", "\n".join(listed)


def _mode(made: Explained) -> str:
    if not made.rules.known:
        return "its mode cannot be read"
    return f"mode {made.rules.mode}" if made.rules.mode else "not opted in"


def _recorded(made: Explained) -> Iterator[RenderableType]:
    if not made.facts.requests:
        yield Text("It asks for no GPU, so it is left as it is.")
    elif made.decision is not None and made.agrees:
        yield Text("As the pod's annotation says:", "bold")
        yield render.changes_of(made.decision.containers)
    else:
        yield Text(_unrecorded(made), "yellow" if made.undecided else "")
        asks = [f"{ask.container.name}: {ask.count} {ask.resource}" for ask in made.facts.requests]
        yield printing.below("What it asks for: " + ", ".join(asks) + ".")


def _unrecorded(made: Explained) -> str:
    if made.decision is not None:
        return (
            "The pod's annotation tells of a decision that does not fit what the pod requests: "
            "somebody wrote it."
        )
    if names.DECISION in (made.live.meta.annotations or {}):
        return "The pod's annotation says nothing that the webhook could have written."
    if made.undecided:
        return (
            "The webhook never decided this pod: it was made before the namespace opted in, or by "
            "a user whom the policy exempts, or while the webhook was down and pods could pass. "
            "To have it decided, delete it, so that it is made anew."
        )
    return "The webhook did not change this pod."


def _now(made: Explained) -> Iterator[RenderableType]:
    head = Text("If it were created now: ", "bold")
    if made.now is None:
        yield from _never(made, head)
    elif isinstance(made.now, Untried):
        yield from render.untried(head, made.now)
    else:
        yield head + _outcome(made, made.now)
        yield from render.answer(
            made.now, changes=made.difference is not None or made.decision is None
        )
        if made.rules.place.mode is Mode.AUDIT:
            yield printing.below("The namespace only audits: nothing is really changed or refused.")
        yield from render.told_by(made.now, made.source)
    yield from render.rights(made.rules.missing)


def _never(made: Explained, head: Text) -> Iterator[RenderableType]:
    place = made.rules.place
    if not made.rules.known:
        yield head + Text("not known, since the namespace's labels cannot be read.")
    elif place.mode is None:
        yield head + Text(f"left as it is: namespace {place.namespace} is not opted in.")
        yield printing.below(f"What would be:  gpu-sharing audit -n {place.namespace}")
        yield printing.below(
            f"To opt in:      kubectl label namespace {place.namespace} {names.MODE}=audit"
        )
    else:
        yield head + Text("left as it is.")


def _outcome(made: Explained, now: Now) -> Text:
    why = f", since {made.difference}" if made.difference else ""
    if not now.allowed:
        return Text(f"refused{why}.", "bold red")
    if made.difference is None and made.decision is not None and made.agrees:
        besides = diff.besides(made.decision, now)
        return Text(f"the same{f', although {besides}' if besides else ''}.", "green")
    return Text(f"{now.strategy or 'left as it is'}{why}.", "yellow" if why else "")
