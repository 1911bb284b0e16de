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
_FOLLOWS: Final = frozenset(
    {(_pattern(names.TENANT), "In"), (_pattern(names.TENANT), "DoesNotExist")}
    | {(_pattern(names.HOSTNAME), "NotIn")}
    | {(_pattern(form.labels.memory), "Gt") for form in _forms() if form.labels.memory}
    | {(_pattern(form.labels.replicas), "Lt") for form in _forms() if form.labels.replicas}
)
"""Requirements that only ever stand behind one of those."""


def split(expressions: Sequence[Expression]) -> tuple[list[Expression], list[Expression]]:
    """Part one term's expressions into those of its author and the pins behind them.

    | in the run of pin-like expressions at the end | whose |
    |---|---|
    | the first on a sharing strategy, or on products that are all MIG, and what follows | a pin |
    | before that: memory, replicas, tenant | the author's |
    | any other on a product | the author's, though a pin may look the same |

    The last row is the careful side: a product kept by mistake leaves the decision as it is, one
    taken away by mistake would change it.
    """
    start = len(expressions)
    while start and _like_a_pin(expressions[start - 1]):
        start -= 1
    while start < len(expressions) and not _begins(expressions[start]):
        start += 1
    return list(expressions[:start]), list(expressions[start:])


def _like_a_pin(each: Expression) -> bool:
    return _begins(each) or _is_one_of(_FOLLOWS, each)


def _begins(each: Expression) -> bool:
    if each.get("operator") == "In" and each.get("key") in _SLICE_PRODUCTS:
        return all(mig.of_product(value) for value in each.get("values") or ("",))
    return _is_one_of(_SHOWS, each)


def _is_one_of(known: frozenset[tuple[re.Pattern[str], str]], each: Expression) -> bool:
    key, operator = str(each.get("key", "")), each.get("operator", "")
    return any(operator == other and keys.fullmatch(key) for keys, other in known)
