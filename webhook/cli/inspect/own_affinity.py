"""Which requirements of a pod's node affinity the webhook wrote, by their form.

The webhook appends its pins to every term (see `patch`), in the order that `pins` has.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from webhook.core.api import mig, names
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import Form

Expression = Mapping[str, Any]


def _forms() -> Iterator[Form]:
    for dialect in DIALECTS:
        for strategy in Strategy:
            yield from dialect.forms(strategy)


def _pattern(key: str) -> re.Pattern[str]:
    """The keys that a form's key stands for, with `{slice}` for any MIG resource."""
    return re.compile(re.escape(key).replace(re.escape("{slice}"), re.escape(names.MIG) + ".+"))


_SHOWS: Final = frozenset(
    (_pattern(each.key), each.operator) for form in _forms() for each in form.requirements
)
"""Requirements that show a strategy: every run of the webhook's own begins with one."""
_SLICE_PRODUCTS: Final = frozenset(
    form.labels.product for form in _forms() if form.product_pattern == mig.PRODUCT_PATTERN
)


def _following() -> Iterator[tuple[str, str]]:
    yield from ((names.TENANT, "In"), (names.TENANT, "DoesNotExist"), (names.HOSTNAME, "NotIn"))
    for labels in (form.labels for form in _forms()):
        yield from ((labels.memory, "Gt"),) if labels.memory else ()
        yield from ((labels.virtual, "NotIn"),) if labels.virtual else ()
        yield from ((labels.replicas, each) for each in ("Lt", "In") if labels.replicas)
        yield from ((labels.profile, each) for each in ("In", "DoesNotExist") if labels.profile)


_FOLLOWS: Final = frozenset((_pattern(key), operator) for key, operator in _following())
"""Requirements that only ever stand behind one of those."""
_OF_MODELS: Final = tuple(
    form for form in _forms() if form.product_pattern not in ("", mig.PRODUCT_PATTERN)
)
"""Forms (GKE) whose run begins with the models, before what shows a strategy."""


def split(expressions: Sequence[Expression]) -> tuple[list[Expression], list[Expression]]:
    """Part one term's expressions into those of its author and the pins behind them.

    | in the run of pin-like expressions at the end | whose |
    |---|---|
    | the first on a sharing strategy, or on products that are all MIG, and what follows | a pin |
    | the one before it, on models of GKE | a pin |
    | before that: memory, replicas, tenant, profile | the author's |
    | any other on a product | the author's, though a pin may look the same |

    The last row is the careful side: a product kept by mistake leaves the decision as it is, one
    taken away by mistake would change it.
    """
    start = len(expressions)
    while start and _like_a_pin(expressions[start - 1]):
        start -= 1
    while start < len(expressions) and not _begins(expressions[start]):
        start += 1
    if 0 < start < len(expressions) and _are_models(*expressions[start - 1 : start + 1]):
        start -= 1
    return list(expressions[:start]), list(expressions[start:])


def _like_a_pin(each: Expression) -> bool:
    return _begins(each) or _is_one_of(_FOLLOWS, each)


def _begins(each: Expression) -> bool:
    if each.get("operator") == "In" and each.get("key") in _SLICE_PRODUCTS:
        return all(mig.of_product(value) for value in each.get("values") or ("",))
    return _is_one_of(_SHOWS, each)


def _are_models(each: Expression, first: Expression) -> bool:
    return any(
        each.get("key") == form.labels.product
        and all(re.search(form.product_pattern, value) for value in each.get("values") or ("",))
        and any((n.key, n.operator) == (first["key"], first["operator"]) for n in form.requirements)
        for form in _OF_MODELS
    )


def _is_one_of(known: frozenset[tuple[re.Pattern[str], str]], each: Expression) -> bool:
    key, operator = str(each.get("key", "")), each.get("operator", "")
    return any(operator == other and keys.fullmatch(key) for keys, other in known)
