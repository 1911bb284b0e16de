"""A problem of a node, and what it is known by."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webhook.core.api import mig, names
from webhook.core.api.node import Node
from webhook.core.gpu.dialects.gfd.labels import COUNT, PRODUCT
from webhook.core.gpu.reading import NodeOffers
from webhook.core.pools.catalog import Catalog


class Severity(StrEnum):
    """Whether a problem keeps GPUs from pods, wastes or endangers them, or is a note."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """One thing that is wrong with a node, and how to mend it."""

    code: str
    severity: Severity
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as the checks see it."""

    subject: Node
    labels: Mapping[str, str]
    found: NodeOffers
    catalog: Catalog

    def number(self, key: str) -> int:
        """Return the whole number of a label, 0 where there is none."""
        return number(self.labels.get(key))

    @property
    def profile(self) -> mig.Profile | None:
        """The MIG profile that the product names, under mig.strategy=single."""
        return mig.of_product(self.labels.get(PRODUCT, ""))

    def devices(self) -> dict[str, int]:
        """Return the MIG devices of the labels, by profile."""
        if self.profile is not None:
            return {self.profile.name: self.number(COUNT)}
        found: dict[str, int] = {}
        for key, value in self.labels.items():
            named = re.fullmatch(re.escape(names.MIG) + r"(.+)\.count", key)
            if named and number(value):
                found[named[1]] = number(value)
        return found


def number(text: str | None) -> int:
    """Return a whole number, 0 where the text is none."""
    return int(text) if text and text.isdecimal() else 0


def error(code: str, what: str, mend: str) -> NodeProblem:
    """Return what keeps GPUs from pods, or is not what somebody asked for."""
    return NodeProblem(code, Severity.ERROR, what, mend)


def warning(code: str, what: str, mend: str) -> NodeProblem:
    """Return what wastes GPUs, or can surprise."""
    return NodeProblem(code, Severity.WARNING, what, mend)
