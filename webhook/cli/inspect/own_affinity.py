"""Which requirements of a pod's node affinity the webhook wrote, by their form; decides nothing.

The webhook appends its pins to every term (see `patch`), in the order that `pins` has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from webhook.core.api import mig, names

Expression = Mapping[str, Any]

_FOLLOWS: Final = frozenset(
    {
        (names.GPU_REPLICAS, "Lt"),
        (names.TENANT, "In"),
        (names.TENANT, "DoesNotExist"),
    }
)
"""Pins that only ever stand behind one on a sharing strategy, besides those on memory."""


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
    form = (each.get("key", ""), each.get("operator", ""))
    memory = form[0].startswith(names.NVIDIA) and form[0].endswith(names.MEMORY_SUFFIX)
    return _begins(each) or form in _FOLLOWS or (memory and form[1] == "Gt")


def _begins(each: Expression) -> bool:
    key, operator = each.get("key", ""), each.get("operator", "")
    if (key, operator) == (names.GPU_SLICES, "DoesNotExist"):
        return True
    if operator != "In":
        return False
    if key == names.GPU_PRODUCT:
        return all(mig.of_product(value) for value in each.get("values") or ("",))
    return str(key).startswith(names.NVIDIA) and str(key).endswith(names.SHARING_SUFFIX)
