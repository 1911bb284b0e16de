"""Quantities are read as Kubernetes reads them, and nothing else is a count."""

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.core.api import quantity


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1", 1),
        (1, 1),
        (1.5, Fraction(3, 2)),
        ("1e0", 1),
        ("1E3", 1000),
        ("12e-1", Fraction(6, 5)),
        ("1000m", 1),
        ("1Ki", 1024),
        ("1k", 1000),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("+1", 1),
        ("-1", -1),
        ("1E", 10**18),
        ("1Ei", 2**60),
    ],
)
def test_quantities_have_their_exact_value(raw: quantity.Raw, value: Fraction) -> None:
    assert quantity.parse_quantity(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        *("", " 1", "1 ", "one", "NaN", "inf", "1GB", "1gi", "0x10", "1e", "--1", "٣"),
        *("1e999999999", "9" * 65, "$GPUS", True),
    ],
)
def test_what_is_no_quantity_is_refused(raw: quantity.Raw) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.parse_quantity(raw)


@pytest.mark.parametrize("raw", ["0.5", "-1", "1e30", "1m", 0.5])
def test_a_count_is_whole_and_not_negative_and_fits(raw: quantity.Raw) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.count(raw)


@pytest.mark.parametrize(
    ("raw", "mib"), [("20Gi", 20480), ("1Mi", 1), ("1M1", None), ("20", None), ("1500k", 2)]
)
def test_memory_is_in_mib_rounded_up(raw: str, mib: int | None) -> None:
    if mib is None:
        with pytest.raises(quantity.QuantityError):
            quantity.mebibytes(raw)
    else:
        assert quantity.mebibytes(raw) == mib


@given(st.text(max_size=80))
def test_any_text_is_a_quantity_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(quantity.QuantityError):
        assert 0 <= quantity.count(text) <= quantity.MAX_COUNT
