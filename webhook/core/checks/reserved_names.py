"""The check of our own label, which must say what the pod requests."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import names
from webhook.core.api import pod as pods
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import REQUESTS_GPU, any_container
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote


def reserved_names(seen: Subject) -> Iterator[Finding]:
    """Yield the strategy label if it is not true: people count pods by it.

    Fields: metadata.labels[gpu-sharing.io/strategy]. The decision annotation is for reading
    only: nothing trusts it, so nothing refuses it.

    | label | the pod's requests | found |
    |---|---|---|
    | absent | any | no |
    | any | malformed, or on any node | no: that is found already |
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
        yield Finding(Violation(CHECK.reason, "", text, where), said)


LABEL: Final = f"has(o.metadata.labels) && '{names.STRATEGY}' in o.metadata.labels"
LABELLED: Final = f"o.metadata.labels['{names.STRATEGY}']"
_UNTRUE: Final = f"{LABEL} && !{any_container(REQUESTS_GPU)}"
_BEFORE: Final = "oldObject.metadata.labels"
_SAME: Final = (
    f"has({_BEFORE}) && '{names.STRATEGY}' in {_BEFORE}"
    f" && {_BEFORE}['{names.STRATEGY}'] == {LABELLED}"
)

CHECK: Final = Check(
    rank=15,
    reason=Reason(
        "reserved_names",
        Group.WAY_AROUND,
        "The pod has the webhook's own label with a value that is not true.",
        example="the label on a pod that requests no GPU, copied from another.",
        to_do="remove the label.",
        detail=f"It is `{names.STRATEGY}`. The webhook writes it, nobody else should.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at="our own strategy label by hand",
        comment=f"{names.STRATEGY} that is not true",
    ),
    webhook=PodCondition(pod=LABEL),
    backstop=Backstop(
        f"{names.STRATEGY} is written by the webhook only; remove it",
        PodCondition(pod=_UNTRUE),
        asked=PodCondition(pod=_UNTRUE),
        changed=f"{_UNTRUE} && !({_SAME})",
        claims=lambda seen: not seen.strategies,  # what a request amounts to, CEL cannot see
    ),
    pod_rule=reserved_names,
)
