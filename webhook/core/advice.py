"""An object -> what becomes of the pods that it makes, for whoever applies it; refuses nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import msgspec

from webhook.core.admit import Verdict
from webhook.core.api import names
from webhook.core.api.model import Inventory, Mode, Request, Strategy
from webhook.core.api.reason import Reason, truncate
from webhook.core.checks.registry import parse_code
from webhook.core.integrations import kubernetes, registry
from webhook.core.integrations.templates import PodTemplate
from webhook.core.policy.values import Policy
from webhook.core.simulate import simulate

_MOST_VALUES: Final = 10_000  # in all templates of an object: reviews take turns, none may be long
_MOST_WARNINGS: Final = 10
_LONGEST: Final = 256  # characters that the API server lets a warning have, however many there are
_LONGEST_NAME: Final = 80  # of a kind and of a path, which people choose


class Outcome(StrEnum):
    """What becomes of the pods of an object; of several the first here that befalls one."""

    REFUSED = "refused"
    CHANGED = "changed"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Advice:
    """What there is to tell, and the reasons of it, those of refusals first."""

    outcome: Outcome = Outcome.FINE
    warnings: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


def advise(
    asked: Request, subject: Mapping[str, Any], policy: Policy, inventory: Inventory
) -> Advice:
    """Foresee the pods of `subject`; `asked` is the request that brings it, without a pod.

    | the object | told |
    |---|---|
    | a Pod, or one that a controller made | nothing: it, or its owner, is told of itself |
    | its pods would be refused | why |
    | they get another kind of GPU than they ask for | which |
    | the verdict warns | that |
    | a template cannot be read | where it stands, and what was expected |
    | any other | nothing |

    The pods come from a controller, so the user that applies the object exempts none of them. In
    audit mode the same is told, as what enforcement would do.
    """
    resource = registry.resource_of(subject)
    if resource is kubernetes.POD or _has_controller(subject):
        return Advice()
    kind = str(subject.get("kind") or "object")
    this = f"this {_cut(kind)}"
    alone = resource in registry.BUILT_IN  # whose one template needs no path to be found
    taken, beyond = _affordable(registry.find_templates(subject, policy.pod_templates))
    heard = [
        _told(each, this if alone else f"{this} ({_cut(each.path)})", asked, (policy, inventory))
        for each in taken
    ]
    if beyond:
        text = f"{this} is too large: its pods from {_cut(beyond.path)} on were not foreseen"
        heard.append(Advice(warnings=(text,)))
    return _joined(heard)


def _affordable(found: Iterator[PodTemplate]) -> tuple[list[PodTemplate], PodTemplate | None]:
    """The templates to look at, and the first that is too much."""
    left = _MOST_VALUES
    taken: list[PodTemplate] = []
    for each in found:
        left -= _values(each.pod, left)
        if left < 0:
            return taken, each
        taken.append(each)
    return taken, None


def _values(at: Any, most: int) -> int:
    """How many values there are in an object, counted little further than `most`."""
    count, pending = 0, [at]
    while pending and count <= most:
        here = pending.pop()
        count += 1
        if isinstance(here, Mapping):
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return count


def _has_controller(subject: Mapping[str, Any]) -> bool:
    metadata = subject.get("metadata")
    owners = metadata.get("ownerReferences") if isinstance(metadata, Mapping) else None
    return isinstance(owners, list) and any(
        isinstance(owner, Mapping) and owner.get("controller") is True for owner in owners
    )


def _told(each: PodTemplate, where: str, asked: Request, world: tuple[Policy, Inventory]) -> Advice:
    audit = "audit: " if asked.mode is Mode.AUDIT else ""
    who = f"{audit}pods of {where}"
    made = replace(asked, mode=Mode.ENFORCE, operation="CREATE", subresource="", user="")
    try:
        return _of_verdict(simulate(made, each.pod, *world).verdict, who, will=not audit)
    except msgspec.ValidationError as error:
        what = str(error) if "`$" in str(error) else f"{error} - at `$`"
        what = what[:1].lower() + what[1:].replace("`$", f"`{_cut(each.path)}")
        return Advice(warnings=(f"{who} cannot be foreseen: {what}"[:_LONGEST],))


def _of_verdict(verdict: Verdict, who: str, *, will: bool) -> Advice:
    if not verdict.allowed:
        outcome, text = Outcome.REFUSED, f"{who} would be refused: {verdict.message}"
    elif exchanged := _exchanged(verdict):
        get = f"{'will' if will else 'would'} get {exchanged}"
        outcome, text = Outcome.CHANGED, f"{who} {get} [{verdict.reason}]"
    else:
        outcome, text = Outcome.FINE, ""
    first = (truncate(text, verdict.reason, _LONGEST),) if text else ()
    texts = (*first, *verdict.warnings)
    reasons = (parse_code(each) or verdict.reason for each in texts)
    others = (each.reason for each in verdict.violations)
    return Advice(outcome, texts, (*reasons, *others))


def _exchanged(verdict: Verdict) -> str:
    """The kinds of GPU that containers get instead of those that they ask for.

    | asked | given | told |
    |---|---|---|
    | any name | another name | both names |
    | nvidia.com/gpu | a share or a slice of that very name | that it is no whole GPU |
    | any name | the same name | no |
    """
    texts = []
    for each in verdict.given:
        asked, offer = each.ask.resource, each.offer
        if offer.resource != asked:
            texts.append(f"{offer.resource} ({offer.strategy}), not {asked}")
        elif asked == names.GPU and offer.strategy is not Strategy.EXCLUSIVE:
            texts.append(f"{asked} ({offer.strategy}), not a whole GPU")
    return " and ".join(dict.fromkeys(texts))


def _joined(heard: Iterable[Advice]) -> Advice:
    """One advice of many: refusals first, nothing twice, and of a great many the first."""
    order = list(Outcome)
    ranked = sorted(heard, key=lambda each: order.index(each.outcome))
    texts = tuple(dict.fromkeys(text for each in ranked for text in each.warnings))
    rest = len(texts) - _MOST_WARNINGS
    counted = (f"and {rest} more warnings",) if rest > 0 else ()
    return Advice(
        outcome=ranked[0].outcome if ranked else Outcome.FINE,
        warnings=(*texts[:_MOST_WARNINGS], *counted),
        reasons=tuple(dict.fromkeys(reason for each in ranked for reason in each.reasons)),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
