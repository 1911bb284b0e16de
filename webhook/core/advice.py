"""Warnings for whoever applies an object about the pods that it makes."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webhook.core import mentions
from webhook.core.api import names, reasons
from webhook.core.api.admission import AdmissionRequest, Mode
from webhook.core.api.reason import Reason, truncate
from webhook.core.gpu.values import Inventory
from webhook.core.integrations import kubernetes, registry
from webhook.core.integrations.templates import PodTemplate, list_at, mapping_at
from webhook.core.policy.values import Policy
from webhook.core.simulate import simulate
from webhook.core.verdict import Verdict

_MOST_VALUES: Final = 5000  # in all templates of an object: reviews take turns, none may be long
_MOST_WARNINGS: Final = 10
_LONGEST: Final = 256  # characters that the API server lets a warning have, however many there are
_LONGEST_NAME: Final = 80  # of a kind and of a path, which people choose


class AdviceOutcome(StrEnum):
    """What becomes of the pods of an object, the worst first."""

    REFUSED = "refused"
    CHANGED = "changed"
    FINE = "fine"


class Advice(Struct, frozen=True):
    """Warnings and their reasons, those of refusals first."""

    outcome: AdviceOutcome = AdviceOutcome.FINE
    warnings: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


def advise(
    request: AdmissionRequest, subject: Mapping[str, Any], policy: Policy, inventory: Inventory
) -> Advice:
    """Return the advice on the pods of `subject`, which a request brings.

    | the object | warnings |
    |---|---|
    | a Pod, or one that a controller made | none: it, or its owner, has advice of its own |
    | its pods would be refused | why |
    | they get another kind of GPU than they ask for | which |
    | the verdict warns | those |
    | a template cannot be read | where it stands, and what was expected |
    | it names a GPU where no pod is found | where |
    | a key of ours stands on it and does not reach its pods | where to write it |
    | any other | none |

    The pods come from a controller, so the user that applies the object exempts none of them. In
    audit mode the warnings are the same, as what enforcement would do.
    """
    resource = registry.resource_of(subject)
    if resource is kubernetes.POD or _has_controller(subject):
        return Advice()
    kind = str(subject.get("kind") or "object")
    this = f"this {_cut(kind)}"
    alone = resource in registry.BUILT_IN  # whose one template needs no path to be found
    creation = _Creation.of_pods(request, policy, inventory)
    taken, beyond = _affordable(registry.find_templates(subject, policy.pod_templates))
    found = [_notes(subject, taken, this)] if beyond is None else []
    found += [
        _advise_on(each, this if alone else f"{this} ({_cut(each.path)})", creation)
        for each in taken
    ]
    if beyond:
        text = f"{this} is too large: its pods from {_cut(beyond.path)} on were not reviewed"
        found.append(Advice(warnings=(text,)))
    return _joined(found)


def _notes(subject: Mapping[str, Any], taken: list[PodTemplate], this: str) -> Advice:
    """Return the warnings of an object besides those of its pods."""
    keys = mentions.stray_keys(subject, taken)
    unread = (each.text(_LONGEST_NAME) for each in mentions.unread_mentions(subject, taken))
    warnings = (*keys, *(f"{this}: {text}"[:_LONGEST] for text in unread))
    return Advice(warnings=warnings, reasons=(reasons.UNKNOWN_KEY,) if keys else ())


class _Creation(Struct, frozen=True):
    """What every pod of an object is decided by, and whether enforcement is only assumed."""

    request: AdmissionRequest
    policy: Policy
    inventory: Inventory
    audited: bool

    @classmethod
    def of_pods(
        cls, request: AdmissionRequest, policy: Policy, inventory: Inventory
    ) -> "_Creation":
        """Return the creation of pods by a controller, in the namespace of the request."""
        made = replace(request, mode=Mode.ENFORCE, operation="CREATE", subresource="", user="")
        return cls(made, policy, inventory, audited=request.mode is Mode.AUDIT)


def _affordable(found: Iterator[PodTemplate]) -> tuple[list[PodTemplate], PodTemplate | None]:
    """Return the templates to review, and the first that is too much."""
    left = _MOST_VALUES
    taken: list[PodTemplate] = []
    for each in found:
        left -= _values(each.pod, left)
        if left < 0:
            return taken, each
        taken.append(each)
    return taken, None


def _values(at: Any, most: int) -> int:
    """Return the number of values in an object, counted little further than `most`."""
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
    owners = list_at(mapping_at(subject, "metadata"), "ownerReferences")
    return any(isinstance(each, Mapping) and each.get("controller") is True for each in owners)


def _advise_on(template: PodTemplate, where: str, creation: _Creation) -> Advice:
    who = f"{'audit: ' if creation.audited else ''}pods of {where}"
    try:
        seen = simulate(creation.request, template.pod, creation.policy, creation.inventory)
        return _of_verdict(seen.verdict, who, will=not creation.audited)
    except msgspec.ValidationError as error:
        what = str(error) if "`$" in str(error) else f"{error} - at `$`"
        what = what[:1].lower() + what[1:].replace("`$", f"`{_cut(template.path)}")
        return Advice(warnings=(f"{who} cannot be read: {what}"[:_LONGEST],))


def _of_verdict(verdict: Verdict, who: str, *, will: bool) -> Advice:
    if not verdict.allowed:
        outcome, text = AdviceOutcome.REFUSED, f"{who} would be refused: {verdict.message}"
    elif exchanged := _exchanged(verdict):
        get = f"{'will' if will else 'would'} get {exchanged}"
        outcome, text = AdviceOutcome.CHANGED, f"{who} {get} [{verdict.reason}]"
    else:
        outcome, text = AdviceOutcome.FINE, ""
    first = (truncate(text, verdict.reason, _LONGEST),) if text else ()
    texts = (*first, *verdict.warnings)
    own = (verdict.reason,) if len(texts) > len(verdict.warned) else ()
    others = (each.reason for each in verdict.violations)
    return Advice(outcome, texts, (*own, *verdict.warned, *others))


def _exchanged(verdict: Verdict) -> str:
    """Return the kinds of GPU that containers get instead of those that they request.

    | requested | given | text |
    |---|---|---|
    | any name | another name | both names |
    | nvidia.com/gpu | a share or a slice of that very name | that it is no whole GPU |
    | any name | the same name | no |
    """
    texts = []
    for each in verdict.allocations:
        asked, offer = each.request.resource, each.offer
        if offer.resource != asked:
            texts.append(f"{offer.resource} ({offer.strategy}), not {asked}")
        elif asked == names.GPU and not offer.strategy.traits.whole:
            texts.append(f"{asked} ({offer.strategy}), not a whole GPU")
    return " and ".join(dict.fromkeys(texts))


def _joined(found: Iterable[Advice]) -> Advice:
    """Return one advice of many, refusals first, without repeats and without the last of many."""
    order = list(AdviceOutcome)
    ranked = sorted(found, key=lambda each: order.index(each.outcome))
    texts = tuple(dict.fromkeys(text for each in ranked for text in each.warnings))
    rest = len(texts) - _MOST_WARNINGS
    counted = (f"and {rest} more warnings",) if rest > 0 else ()
    return Advice(
        outcome=ranked[0].outcome if ranked else AdviceOutcome.FINE,
        warnings=(*texts[:_MOST_WARNINGS], *counted),
        reasons=tuple(dict.fromkeys(reason for each in ranked for reason in each.reasons)),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
