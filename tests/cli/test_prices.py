"""Price lists: the one that is shipped, and one of the caller's own."""

from pathlib import Path

import pytest

from webhook.cli import prices
from webhook.cli.manifests import InputError


def test_the_lowest_price_of_each_product_with_source_and_date() -> None:
    found = prices.load_prices()
    h100 = found["NVIDIA-H100-80GB-HBM3"]
    assert (h100.usd_per_hour, h100.as_of) == (6.88, "2026-07-20")
    assert h100.source == "aws us-east-1 p5.4xlarge"
    assert found["Tesla-T4"].usd_per_hour == 0.526


def test_a_file_replaces_the_list(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("gpu_product,usd_per_gpu_hour\nTesla-T4,0.1\n")
    assert prices.load_prices(str(path)) == {
        "Tesla-T4": prices.Price("Tesla-T4", 0.1, str(path), "")
    }


@pytest.mark.parametrize("row", ["Tesla-T4,", ",1", "Tesla-T4,-1", "Tesla-T4,nan", "Tesla-T4,inf"])
def test_a_wrong_line_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"gpu_product,usd_per_gpu_hour\n{row}\n")
    with pytest.raises(InputError, match=r"line 2: expected columns"):
        prices.load_prices(str(path))
