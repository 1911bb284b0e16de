"""What a GPU of each product costs an hour."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from webhook.cli.manifests import InputError, read_text

ON_DEMAND: Final = Path(__file__).with_name("on-demand.csv")
"""On-demand prices of AWS and Azure by GPU (Apache-2.0: aws/karpenter-provider-aws and
Azure/karpenter-provider-azure, generated price tables)."""
HOURS_A_MONTH: Final = 730


class Price(Struct, frozen=True, rename="camel"):
    """The price of one GPU in USD an hour, and where it is from."""

    product: str
    usd_per_hour: float
    source: str
    as_of: str


def load_prices(path: str | None = None) -> Mapping[str, Price]:
    """Return the lowest price of each product, of a file or the shipped list.

    A file is CSV with a heading. `gpu_product` (as the node label `nvidia.com/gpu.product`) and
    `usd_per_gpu_hour` are needed, `cloud`, `region`, `instance` and `as_of` are told where given.

    Raises:
        InputError: the file cannot be read, or a line has no product or no price.
    """
    name = path or str(ON_DEMAND)
    lowest: dict[str, Price] = {}
    for each in _rows(name, read_text(name).splitlines()):
        known = lowest.get(each.product)
        if known is None or each.usd_per_hour < known.usd_per_hour:
            lowest[each.product] = each
    return lowest


def usd_a_month(prices: Mapping[str, Price], product: str, gpus: float) -> float | None:
    """Return what so many GPUs cost a month, None where the product has no price."""
    price = prices.get(product)
    return None if price is None else gpus * price.usd_per_hour * HOURS_A_MONTH


def _rows(name: str, lines: Iterable[str]) -> Iterable[Price]:
    for number, row in enumerate(csv.DictReader(lines), 2):
        product, raw = row.get("gpu_product") or "", row.get("usd_per_gpu_hour") or ""
        try:
            usd = float(raw)
        except ValueError:
            usd = -1.0
        if not product or not 0 <= usd < float("inf"):
            raise InputError(
                f"{name}: line {number}: expected columns gpu_product and usd_per_gpu_hour "
                f"(a number), found {product!r} and {raw!r}"
            )
        where = (row.get(key) or "" for key in ("cloud", "region", "instance"))
        source = " ".join(filter(None, where)) or name
        yield Price(product, usd, source, row.get("as_of") or "")
