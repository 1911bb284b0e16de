"""What a reader of a plan should know of how it was made."""

from collections.abc import Iterator

from webhook.cli.verbs.pools.plan_file import PlanFile
from webhook.core.pools.model import Stock

UNKNOWN_PRICE = 1.0


def assumptions(stock: Stock, asked: PlanFile) -> Iterator[str]:
    """Yield what was taken for granted, of shares, memory and prices."""
    replicas = stock.replicas
    yield (
        f"{replicas.mps} pods share a GPU under MPS, each with that part of its memory; "
        f"{replicas.time_slicing} under time-slicing, whose stated memory fits together"
    )
    yield "a node shares all of its whole GPUs in one way, or none; GPUs are cut one by one"
    yield (
        "memory of MIG devices is as measured on that product, else the GB of the name less 15 %"
    )
    unknown = {h.model.product for h in stock.hosts if h.model.memory is None}
    for product in sorted(unknown):
        yield f"the memory of {product} is not known: only what states none is planned on it"
    for product, price in sorted({h.model.product: h.price for h in stock.hosts}.items()):
        given = "as given" if product in asked.prices else "lowest on-demand price that we know"
        known = product in asked.prices or price != UNKNOWN_PRICE
        source = given if known else "no price is known; give one under `prices`"
        yield f"{product}: {price:g} USD an hour and GPU ({source})"
    for product in sorted(set(asked.prices) - {h.model.product for h in stock.hosts}):
        yield f"prices names {product}, of which the stock has none"
