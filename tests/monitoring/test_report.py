"""The HTML report in a real browser: two widths, keyboard, names in order, dark, print."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.monitoring import browser
from webhook.cli.forecast.evaluate import AuditRow
from webhook.cli.measure.assess import Assessment, Sized
from webhook.cli.measure.shared import SharedDevice
from webhook.cli.prices import load_prices
from webhook.cli.verbs.audit.report import report
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy
from webhook.core.rightsizing.need import Need
from webhook.core.rightsizing.recommendation import Confidence, Recommendation, RecommendedAction
from webhook.core.rightsizing.values import Device, DeviceKey, DeviceUse, PodName, TemplateRequest
from webhook.core.rightsizing.waste import Waste

H100 = "NVIDIA-H100-80GB-HBM3"
REQUEST = TemplateRequest(
    "shop", "Deployment", "web", Workload.INFERENCE, None, 1, 1, 1.0, Strategy.EXCLUSIVE
)
USE = DeviceUse(2000, 168, 0.7, 0.5, 0.9, 11000, 10000)


def assessment(name: str = "web") -> Assessment:
    need = Need(2000, 168, H100, 7200, 0.1, 6000, 0.08)
    advice = Recommendation(
        RecommendedAction.CHANGE,
        "1g.10gb has 9984 MiB",
        Confidence.HIGH,
        Strategy.MIG,
        None,
        7200,
        1 / 7,
    )
    row: AuditRow = None  # type: ignore[assignment]  # the page does not read it
    sized = Sized(row, replace(REQUEST, name=name), need, advice, 6 / 7, 4305.0)
    device = Device(DeviceKey("n1", "GPU-1"), "Tesla-T4", None, 15000, USE)
    shared = SharedDevice(device, (PodName("dev", "a"), PodName("dev", "b")), True, 1, "fine")  # noqa: FBT003
    waste = Waste(H100, 4.0, 2.0, 1.0, 0.5, 0.5)
    prices = {H100: load_prices()[H100]}
    return Assessment("http://x", "7d", (sized,), (shared,), {H100: waste}, prices, 4, ())


def test_it_is_one_file_that_loads_nothing() -> None:
    text = report(assessment())
    assert not re.search(r"(src|href)=\"(?!#)", text)
    assert "@import" not in text
    assert "<script" not in text
    assert "6.88" in text
    assert "2026-07-20" in text


def test_names_of_the_cluster_are_text() -> None:
    assert "<b>x</b>" not in report(assessment("<b>x</b>"))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[int, str]]:
    if browser.PROGRAM is None:
        pytest.skip(browser.WHY_NOT)
    path = tmp_path / "report.html"
    path.write_text(report(assessment()))
    with browser.browser(tmp_path / "profile") as port:
        yield port, path.as_uri()


@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_fits_its_window_and_tables_can_be_reached(
    opened: tuple[int, str], width: int
) -> None:
    port, url = opened

    async def look() -> None:
        async with browser.page(port) as page:
            await page.open(url, width)
            overflow = await page.value("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0
            order = [await page.press_tab() for _ in range(10)]
            assert order == [
                "Skip to the figures", "Where they go", "What to do", "Shared devices", "Prices",
                "Words", "Where they go, as a table", "What to do, as a table",
                "Shared devices, as a table", "Prices, as a table",
            ]  # fmt: skip

    asyncio.run(look())


def test_a_screen_reader_hears_headings_pictures_and_tables_in_order(
    opened: tuple[int, str],
) -> None:
    port, url = opened

    async def look() -> None:
        async with browser.page(port) as page:
            await page.open(url, 1200)
            nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"]
            told = [
                (each["role"]["value"], each.get("name", {}).get("value", ""))
                for each in nodes
                if not each["ignored"]
            ]
            headings = [name for role, name in told if role == "heading"]
            assert headings == [
                "What the GPUs are used for", "Where they go", "What to do", "Shared devices",
                "Prices", "Words",
            ]  # fmt: skip
            pictures = [name for role, name in told if role in ("image", "img")]
            assert pictures == [
                f"4.0 GPUs of {H100}: 1.1 used, 0.9 larger than needed, 1.0 held and idle, "
                "0.5 free, 0.5 lost in the layout"
            ]
            assert all(
                name for role, name in told if role in ("table", "region", "link", "heading")
            )

    asyncio.run(look())


def test_dark_and_print_change_its_colours(opened: tuple[int, str]) -> None:
    port, url = opened

    async def look() -> None:
        async with browser.page(port) as page:
            await page.open(url, 1200)
            colour = "getComputedStyle(document.body).backgroundColor"
            seen = []
            for scheme, media in (("light", ""), ("dark", ""), ("dark", "print")):
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                await page.send("Emulation.setEmulatedMedia", media=media, features=features)
                seen.append(await page.value(colour))
            assert seen == ["rgb(255, 255, 255)", "rgb(15, 20, 25)", "rgb(255, 255, 255)"]
            printed = await page.send("Page.printToPDF", printBackground=True)
            assert len(printed["data"]) > 10_000

    asyncio.run(look())
