"""JSON Patch operations applied to a plain object.

What they leave alone is shared, not copied.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from webhook.core.patch.operation import Op

_END: Final = "-"  # of a list, in a JSON Pointer


def apply(subject: Mapping[str, Any], operations: Iterable[Op]) -> Mapping[str, Any]:
    """Return what becomes of an object, which itself stays as it was.

    Only what an operation changes is copied, with all above it: the cost is that of the patch,
    whatever else the object holds. The operations are our own, so they fit.
    """
    root = {"": subject}
    own: dict[int, Any] = {}  # what was copied, by its id; kept, so that no id is given twice
    for each in operations:
        *above, last = [_plain(key) for key in each.path.split("/")]
        at: Any = root
        for key in above:
            at = _owned(at, key, own)
        _change(at, last, each)
    return root[""]


def _plain(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")


def _owned(at: Any, key: str, own: dict[int, Any]) -> Any:
    """What stands below, as a copy that may be changed."""
    step: Any = int(key) if isinstance(at, list) else key
    below = at[step]
    if id(below) not in own:
        below = at[step] = copy.copy(below)
        own[id(below)] = below
    return below


def _change(at: Any, last: str, operation: Op) -> None:
    step: Any = last
    if isinstance(at, list):
        step = len(at) if last == _END else int(last)
    if operation.op == "remove":
        del at[step]
    elif isinstance(at, list):
        at.insert(step, msgspec.to_builtins(operation.value))
    else:
        at[step] = msgspec.to_builtins(operation.value)
