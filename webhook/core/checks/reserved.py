"""The rule on our own label: on a pod it says what the pod asks for, or is not there."""

from collections.abc import Iterator

from webhook.core.api import names, reasons
from webhook.core.api import pod as pods
from webhook.core.api.model import Violation
from webhook.core.checks.finding import Finding, Subject, quote


def reserved_names(seen: Subject) -> Iterator[Finding]:
    """The strategy label, by which people count and quota pods, is true.

    Fields: metadata.labels[gpu-sharing.io/strategy]. The decision annotation is for reading
    only: nothing trusts it, so nothing refuses it.

    | label | the pod's asks | found |
    |---|---|---|
    | absent | any | no |
    | any | malformed, or not pinned | no: that is found already |
    | any | none | yes |
    | that strategy; `mixed` for several | some | no |
    | any other | some | yes |
    """
    said = pods.labels(seen.pod).get(names.STRATEGY)
    kinds = set(seen.strategies.values())
    if said is None or seen.malformed or None in kinds:
        return
    true = "mixed" if len(kinds) > 1 else next((kind.value for kind in kinds if kind), None)
    if said != true:
        text = f"label {names.STRATEGY}={quote(said)} is not what the pod gets; remove it"
        where = f"metadata.labels[{names.STRATEGY}]"
        yield Finding(Violation(reasons.RESERVED_NAMES, "", text, where), said)
