"""Node dialects: one file for each system that labels GPU nodes, with one `DIALECT`."""

import pkgutil
from importlib import import_module
from typing import Final

from webhook.core.gpu.dialect import Dialect

DIALECTS: Final[tuple[Dialect, ...]] = tuple(
    import_module(f"{__name__}.{module.name}").DIALECT for module in pkgutil.iter_modules(__path__)
)
"""Every dialect, by the names of their files; a node is read by the first that it speaks."""
