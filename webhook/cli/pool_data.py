"""The package's data about GPU products."""

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec

from webhook.cli.prices import load_prices
from webhook.core.pools.catalog import Catalog, ProductEntry


class _ProfilesFile(msgspec.Struct, frozen=True):
    products: tuple[ProductEntry, ...]


@cache
def load_catalog() -> Catalog:
    """Return what the package knows of GPU products. Of several figures the lowest counts."""
    measured: dict[str, dict[str, int]] = {}
    for row in _rows("mig-memory.tsv"):
        known = measured.setdefault(row["product"], {})
        memory = int(row["memory_mib"])
        known[row["profile"]] = min(memory, known.get(row["profile"], memory))
    return Catalog(
        products=msgspec.json.decode(_text("mig-profiles.json"), type=_ProfilesFile).products,
        gpu_memory={row["product"]: int(row["memory_mib"]) for row in _rows("gpu-memory.tsv")},
        mig_memory=measured,
        prices={name: each.usd_per_hour for name, each in load_prices().items()},
    )


def _text(name: str) -> str:
    return (resources.files("webhook") / "data" / name).read_text(encoding="utf-8")


def _rows(name: str) -> Iterator[dict[str, str]]:
    delimiter = "\t" if name.endswith(".tsv") else ","
    yield from csv.DictReader(_text(name).splitlines(), delimiter=delimiter)
