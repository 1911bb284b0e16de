"""The flags that name a Prometheus, and the assessment that they ask for."""

import argparse
from collections.abc import Mapping
from datetime import datetime

from webhook.cli import prices
from webhook.cli.forecast.collect import Audit
from webhook.cli.measure.assess import Assessment, assess
from webhook.cli.measure.devices import shared_kinds
from webhook.cli.measure.measure import Scope, holders, measure, parse_window
from webhook.cli.measure.prometheus import TOKEN, open_prometheus
from webhook.cli.progress import progress
from webhook.core.rightsizing.values import DeviceKey, PodName


def add_measure_flags(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add the flags: which Prometheus, which window, which prices."""
    group = parser.add_argument_group("measured use")
    group.add_argument(
        "--prometheus", metavar="URL", required=required,
        help=f"that scrapes dcgm-exporter; a bearer token is taken from {TOKEN}",
    )  # fmt: skip
    group.add_argument(
        "--window", metavar="TIME", default="7d", type=_window,
        help="how far back, such as 24h, 7d, 4w (default %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--prices", metavar="FILE",
        help="CSV with gpu_product and usd_per_gpu_hour; else on-demand prices of clouds",
    )  # fmt: skip


def read_assessment(found: Audit, args: argparse.Namespace) -> Assessment:
    """Measure what the flags name and join it with an audit.

    Raises:
        InputError: the price list is wrong.
        Unavailable: Prometheus does not answer, or knows no GPU.
    """
    listed = prices.load_prices(args.prices)
    shared = shared_kinds(found.context.cluster.nodes)
    scope = Scope(args.window, args.now.timestamp(), shared)
    with open_prometheus(args.prometheus) as source, progress("querying Prometheus …") as say:

        def show(done: int, of: int) -> None:
            say(f"querying Prometheus: {done} of {of} GPUs …")

        measured = measure(source, scope, show)
    return assess(found, measured, listed, args.prometheus)


def read_holders(url: str, now: datetime) -> Mapping[DeviceKey, frozenset[PodName]]:
    """Return the pods that the exporter names on each device now.

    Raises:
        Unavailable: Prometheus does not answer.
    """
    with open_prometheus(url) as source:
        return holders(source, now.timestamp())


def _window(text: str) -> str:
    try:
        return parse_window(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
