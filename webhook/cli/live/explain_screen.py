"""One pod's GPU decision as a person reads it; gathers nothing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli import policy, show
from webhook.cli.live import compared, explained, printing
from webhook.cli.live.explained import Explained
from webhook.cli.live.foretold import Now, Untried
from webhook.core import names, origin
from webhook.core.model import Mode
from webhook.core.reasons import SENTENCES, Reason
from webhook.core.recorded import Change

_CHANGES: Final = (
    ("CONTAINER", "name"), ("ASKED nvidia.com/", "asked"), ("GOT nvidia.com/", "got"),
    ("HOW", "strategy"), ("REASON", "reason"),
)  # fmt: skip


def screen(made: Explained) -> Iterator[RenderableType]:
    """The whole screen."""
    yield printing.pairs(_facts(made))
    yield Text()
    yield from _recorded(made)
    yield Text()
    yield from _now(made)


def _facts(made: Explained) -> Iterator[tuple[str, str | None]]:
    live, place = made.live, made.rules.place
    workload = origin.of_workload(live.labels, place.labels, place.policy)
    tenant = origin.of_tenant(live.labels, place.labels)
    yield "Pod", f"{live.meta.name} ({live.state})"
    yield "Namespace", f"{place.namespace} ({_mode(made)})"
    yield "Workload", f"{made.facts.workload} ({workload})"
    yield "Tenant", f"{made.facts.tenant} ({tenant})" if made.facts.tenant else "none"
    yield "Policy", f"{policy.sentence(made.row_name, made.row)}\n({made.rules.policy_source})"
    yield "Node", live.pod.spec.node_name or "none yet"
    listed = explained.pins(live)
    if listed:
        yield "Pins", "\n".join(listed)


def _mode(made: Explained) -> str:
    if not made.rules.known:
        return "its mode cannot be read"
    return f"mode {made.rules.mode}" if made.rules.mode else "not opted in"


def _recorded(made: Explained) -> Iterator[RenderableType]:
    if not made.facts.asks:
        yield Text("It asks for no GPU, so it is left as it is.")
    elif made.decision is not None and made.agrees:
        yield Text("As the pod's annotation says:", "bold")
        yield _changes(made.decision.containers)
    else:
        yield Text(_unrecorded(made), "yellow" if made.undecided else "")
        asks = [f"{ask.place.name}: {ask.count} {ask.resource}" for ask in made.facts.asks]
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


def _changes(changes: Sequence[Change]) -> RenderableType:
    return printing.table(_CHANGES, map(_change, changes))


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "asked": _amount(change.asked),
        "got": _amount(change.given),
        "strategy": Text(change.strategy, show.COLOURS.get(change.strategy, "")),
        "reason": reason(change.reason),
    }


def _amount(amount: dict[str, int]) -> str:
    return ", ".join(f"{count} {show.short(resource)}" for resource, count in amount.items())


def reason(code: str) -> str:
    """A code with its sentence, if it is one that is known here."""
    return f"{code}: {SENTENCES[Reason(code)]}" if code in tuple(Reason) else code


def _now(made: Explained) -> Iterator[RenderableType]:
    head = Text("If it were created now: ", "bold")
    if made.now is None:
        yield from _never(made, head)
    elif isinstance(made.now, Untried):
        yield from untried(head, made.now)
    else:
        yield head + _outcome(made, made.now)
        yield from answer(made.now, changes=made.difference is not None or made.decision is None)
        if made.rules.place.mode is Mode.AUDIT:
            yield printing.below("The namespace only audits: nothing is really changed or refused.")
        yield from told_by(made.now, made.source)
    yield from rights(made.rules.missing)


def told_by(now: Now, source: str) -> Iterator[RenderableType]:
    """Who says so; and why not the cluster itself, where it does not."""
    yield Text(f"Told by {now.by}, with {source}.", "dim")
    if now.aside:
        yield printing.note(f"a dry run in the cluster does not tell: {now.aside}")


def untried(head: Text, found: Untried) -> Iterator[RenderableType]:
    """That nobody knows, why, and which rights would help: any of them is enough."""
    yield head + Text("not known.")
    yield printing.below(f"{found.why[0].upper()}{found.why[1:]}.")
    if found.missing:
        yield printing.below("One of these rights would do:" if found.missing[1:] else "Needed:")
    for right in found.missing:
        yield printing.item(str(right))


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
        besides = compared.besides(made.decision, now)
        return Text(f"the same{f', although {besides}' if besides else ''}.", "green")
    return Text(f"{now.strategy or 'left as it is'}{why}.", "yellow" if why else "")


def answer(now: Now, *, changes: bool = True) -> Iterator[RenderableType]:
    """An answer in full: what each container gets, everything that is wrong, all warnings."""
    if now.changes and changes:
        yield printing.below(_changes(now.changes))
    elif now.allowed and now.reason and not now.changes:
        yield printing.below(reason(now.reason))
    for wrong in now.wrongs:
        yield printing.below(
            Text(printing.safe(f"{wrong.text} [{wrong.code}]" if wrong.code else wrong.text), "red")
        )
    for text in now.warnings:
        yield printing.below(Text.assemble(("warning: ", "yellow"), printing.safe(text)))


def rights(missing: Iterable[Any]) -> Iterator[RenderableType]:
    """The rights that are missing, a line each."""
    for right in missing:
        yield printing.below(f"You lack the right to {right}.")
