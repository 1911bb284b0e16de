"""CEL that only the chart needs, over a pod `o` and its container `c`."""

import re
from typing import Final

from webhook.core.api import names
from webhook.core.checks.cel import VARIABLES, every_term, listed, matches
from webhook.core.gpu.meaning import PRESENT

_POD: Final = re.compile(r"(?<![\w.'])o(?=\.)")
_OURS: Final = f"e.name.{matches('^({})'.format('|'.join(VARIABLES)))}"
_HIDES: Final = (
    f"e.name == '{names.VISIBLE_DEVICES}' && !has(e.valueFrom)"
    f" && has(e.value) && e.value == '{names.NO_DEVICES}'"
)
HAS_VARIABLES: Final = f"has(c.env) && size(c.env.filter(e, {_OURS}).filter(e, !({_HIDES}))) > 0"
"""A container has a variable that checks look at, so all of them look at it.

The one that the webhook itself writes is none, as no check minds it alone.
"""


def over_pod(condition: str, pod: str = "object") -> str:
    """Return CEL on `o` over the pod that an expression gives."""
    return _POD.sub(pod, condition)


def requires_label(key: str) -> str:
    """Return CEL for a pod that leaves only nodes with a label."""
    selector = f"(has(o.spec.nodeSelector) && '{key}' in o.spec.nodeSelector)"
    present = every_term(f"e.key == '{key}' && e.operator in {listed(PRESENT)}")
    return f"({selector} || ({present}))"
