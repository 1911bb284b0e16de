"""Every check of this package, found by itself, and every reason that there is."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from webhook.core import checks
from webhook.core.api import reasons
from webhook.core.checks.check import Check
from webhook.core.checks.finding import Finding, Subject

_NO_CHECKS: Final = frozenset({"cel", "check", "finding", "registry"})


def _read_check(name: str) -> Check:
    """Return the check of one module.

    Raises:
        TypeError: the module has no CHECK, or one whose code is not the module's name.
    """
    module = importlib.import_module(f"{checks.__name__}.{name}")
    found = getattr(module, "CHECK", None)
    if not isinstance(found, Check) or found.reason.code != name:
        raise TypeError(f"{module.__file__}: expected CHECK = Check(...) with the code {name}")
    return found


def _read_checks() -> tuple[Check, ...]:
    names = (each.name for each in pkgutil.iter_modules(checks.__path__))
    found = [_read_check(name) for name in sorted(names) if name not in _NO_CHECKS]
    return tuple(sorted(found, key=lambda each: each.rank))


CHECKS: Final = _read_checks()
"""Every check, in the order in which their findings are told."""

REASONS: Final = MappingProxyType(
    reasons.REASONS | {each.reason.code: each.reason for each in CHECKS}
)
"""Every reason that there is, by its code."""

ONLY_CREATED: Final = frozenset(each.reason for each in CHECKS if each.only_created)
"""Reasons for which no update is refused."""

_POD_RULES: Final = tuple(each.pod_rule for each in CHECKS if each.pod_rule)
_CONTAINER_RULES: Final = tuple(each.container_rule for each in CHECKS if each.container_rule)
_WITHOUT_VARIABLES: Final = tuple(
    each.container_rule for each in CHECKS if each.container_rule and not each.webhook.environment
)
"""The rules for a container without any variable that others look at, as most are."""


def run_checks(seen: Subject) -> Iterator[Finding]:
    """Yield the findings of every check.

    Each container once, also without a request.
    """
    for place, container in seen.containers.items():
        for container_rule in _CONTAINER_RULES if seen.variables[place] else _WITHOUT_VARIABLES:
            yield from container_rule(seen, place, container)
    for pod_rule in _POD_RULES:
        yield from pod_rule(seen)
