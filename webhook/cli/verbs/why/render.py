"""The screen and the record of a workload's refusals and waits."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import times
from webhook.cli.cluster.dry_run import render as dry_run
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.inspect.denial import By, Denial
from webhook.cli.output import Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.why import denials
from webhook.cli.verbs.why.collect import Diagnosed, State, Trial, WaitingPods
from webhook.cli.verbs.why.denials import Refused
from webhook.cli.verbs.why.record import why_record
from webhook.core.api import names
from webhook.core.api.reason import link
from webhook.core.checks.registry import REASONS
from webhook.core.record_values import Cause

_HEADS: Final = {
    State.REFUSED: ("its pods are refused", "bold red"),
    State.WOULD_BE_REFUSED: ("its pods would be refused", "bold red"),
    State.WAITS: ("some of its pods do not run yet", "bold yellow"),
    State.RUNS: ("nothing keeps its pods from running", "bold green"),
    State.UNKNOWN: ("not known, since you may not see enough", "bold yellow"),
    State.NO_PODS: ("it has no pods, and nothing refuses them", "bold"),
}
_POD_HEADS: Final = {
    State.REFUSED: "it is refused",
    State.WOULD_BE_REFUSED: "it would be refused",
    State.WAITS: "it does not run yet",
    State.RUNS: "nothing keeps it from running",
}
_MOST_NAMED: Final = 3


def render(made: Diagnosed, now: datetime) -> Rendering:
    """Return what is refused, what waits, and what would be decided now."""
    return Rendering(why_record(made), tuple(_screen(made, now)))


def _screen(made: Diagnosed, now: datetime) -> Iterator[Paragraph]:
    yield _headline(made)
    if made.state is not State.UNKNOWN and made.members.root.kind != "Pod":
        yield Text(_counts(made))
    for each in made.refused:
        yield Text()
        yield from _refusal(each, now)
    for wait in made.waiting:
        yield Text()
        yield from _waiting(wait)
    for trial in made.trials:
        yield Text()
        yield from _trial(trial, made)
    yield from _ends(made)


def _headline(made: Diagnosed) -> Text:
    root = made.members.root
    words, style = _HEADS[made.state]
    words = _POD_HEADS.get(made.state, words) if root.kind == "Pod" else words
    subject = output.safe(f"{root.kind} {root.metadata.name} in namespace {made.rules.where}: ")
    return Text((subject, "bold"), (f"{words}.", style))


def _counts(made: Diagnosed) -> str:
    wanted, (states, strategies) = denials.wanted_pods(made.members), made.counts
    there = ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "none"
    how = ", ".join(f"{n} {strategy}" for strategy, n in sorted(strategies.items()))
    asked = f"Pods wanted: {wanted}. " if wanted is not None else ""
    return f"{asked}Pods there: {there}.{f' GPUs by: {how}.' if how else ''}"


def _refusal(each: Refused, now: datetime) -> Iterator[Paragraph]:
    often = f" {each.count} times" if (each.count or 0) > 1 else ""
    since = f", first {times.ago(now, each.first)}" if each.first else ""
    last = f", last {times.ago(now, each.last)}" if each.last else ""
    head = "Refused" if each.now else "Was refused"
    text = f"{head}{often} {each.refusal.by.words}{since}{last} ({each.whose}):"
    yield Text((output.safe(text), "red" if each.now else ""))
    if each.now:
        yield from _causes(each.refusal.causes)
        yield from (output.indented(f"What to do: {mend}") for mend in _mends(each.refusal))
        return
    yield output.indented("That is over: pods were created since, or none is wanted any more.")
    yield from (output.item(cause.text) for cause in each.refusal.causes)


def _mends(found: Denial) -> Iterator[str]:
    """What to do about a refusal that has no reason of ours."""
    if found.by is By.NO_ANSWER:
        yield "kubectl gpu-sharing status says what is wrong with the webhook."
    elif "exceeded quota" in found.text:
        yield "raise the quota, or name in it what the pods get; it counts the device by its name."


def _causes(causes: Iterable[Cause]) -> Iterator[Paragraph]:
    """What is wrong, by reason, and what to do about each."""
    groups: dict[str, list[Cause]] = {}
    for cause in causes:
        groups.setdefault(cause.reason, []).append(cause)
    for code, members in groups.items():
        known = REASONS.get(code)
        if known:
            yield output.indented(Text((code, "bold"), f": {known.sentence}"))
        for cause in members:
            yield output.item(cause.text, 4 if known else 2)
        if known:
            yield output.indented(f"What to do: {known.to_do}", 4)
            yield output.indented(f"More: {link(known)}", 4)


def _waiting(each: WaitingPods) -> Iterator[Paragraph]:
    named = ", ".join(each.pods[:_MOST_NAMED])
    more = len(each.pods) - _MOST_NAMED
    yield Text((f"{each.state}: {named}{f' and {more} more' if more > 0 else ''}", "yellow"))
    if each.meaning:
        yield output.indented(f"{each.meaning[0].upper()}{each.meaning[1:]}.")
    yield output.indented(Text(("the cluster says: ", "dim"), output.safe(each.message)))


def _trial(each: Trial, made: Diagnosed) -> Iterator[Paragraph]:
    head = Text(("If a pod were created now: ", "bold"))
    if isinstance(each.now, Untried):
        yield from dry_run.render_untried(head, each.now)
        return
    if not each.now.allowed:
        yield from _again(head, each.now, made)
    else:
        given = f", with {each.now.strategy}" if each.now.strategy else ""
        if each.now.kept_out:
            yield head + Text((f"refused {each.now.kept_out.words}.", "red"))
            yield output.indented(f"Without that it would be let in{given}.")
        else:
            yield head + Text((f"it would be let in{given}.", "green"))
        yield from dry_run.render_outcome(each.now)
        if made.state is State.REFUSED:
            yield output.indented(
                "Whatever makes the pods tries again by itself, within 20 minutes."
            )
    told = replace(each.now, aside="") if each.now.kept_out and made.refused else each.now
    yield from dry_run.render_source(told, each.anew.source)


def _again(head: Text, now: Now, made: Diagnosed) -> Iterator[Paragraph]:
    known = {(c.reason, c.text) for each in made.refused for c in each.refusal.causes}
    if {(cause.reason, cause.text) for cause in now.causes} <= known:
        yield head + Text(("refused in the same way.", "red"))
        return
    yield head + Text(("refused:", "red"))
    yield from _causes(now.causes)


def _ends(made: Diagnosed) -> Iterator[Paragraph]:
    place = made.rules.place
    yield from (output.note(each) for each in made.notes)
    if made.rules.known and place.mode is None:
        yield Text()
        yield output.note(
            f"namespace {place.namespace} is not opted in, so GPU sharing touches none of its "
            f"pods; to opt in: kubectl label namespace {place.namespace} {names.MODE}=audit"
        )
    yield from dry_run.render_missing((*made.rules.missing, *made.unseen))
