"""Node dialects: one file for each system that labels GPU nodes, with one `DIALECT`."""

import pkgutil
from importlib import import_module
from typing import Final

from webhook.core.gpu.dialect import Dialect


def _read_dialect(name: str) -> Dialect:
    """Return the dialect of one module.

    Raises:
        TypeError: the module has no DIALECT.
    """
    module = import_module(f"{__name__}.{name}")
    found = getattr(module, "DIALECT", None)
    if not isinstance(found, Dialect):
        raise TypeError(f"{module.__file__}: expected DIALECT = Dialect(...)")
    return found


DIALECTS: Final[tuple[Dialect, ...]] = tuple(
    sorted(
        (_read_dialect(module.name) for module in pkgutil.iter_modules(__path__)),
        key=lambda each: (each.order, each.name),
    )
)
"""Every dialect; those that are believed first come first."""
