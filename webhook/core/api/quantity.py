"""Kubernetes quantities as exact numbers.

Nothing of what they count.
"""

import re
from fractions import Fraction
from typing import Final

MAX_COUNT: Final = 2**63 - 1
MIB: Final = 1024**2

_SUFFIXES: Final = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
    "Ei": Fraction(2**60),
}
# Two exponent digits and 64 characters bound the work: `1e999999999` must cost nothing.
_QUANTITY: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,2})|(?P<suffix>[numkMGTPE]|[KMGTPE]i)?)",
    re.ASCII,
)
_MAX_LENGTH: Final = 64
_NUMBER, _MEMORY = "write a whole number, such as 1", "write for example 20Gi"
_PLAIN: Final = 18  # digits that are less than MAX_COUNT

Raw = str | int | float
"""A quantity as it stands in JSON or YAML: a string, or a bare number."""


class QuantityError(ValueError):
    """The text is no quantity, or not one that the field can hold."""


def parse_quantity(raw: Raw) -> Fraction:
    """Return the exact value of a quantity as apimachinery's `resource.Quantity` reads it.

    Raises:
        QuantityError: it is not a quantity, or longer than any that makes sense.

    """
    text = str(raw)
    found = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None or isinstance(raw, bool):
        raise QuantityError(f"{text[:_MAX_LENGTH]!r} is not a Kubernetes quantity")
    value = Fraction(found["number"]) * (-1 if found["sign"] == "-" else 1)
    if found["exponent"]:
        return value * Fraction(10) ** int(found["exponent"])
    return value * _SUFFIXES[found["suffix"] or ""]


def count(raw: Raw) -> int:
    """Return a number of devices: extended resources are whole and not negative.

    | raw | count |
    |---|---|
    | `"1"`, `1`, `"1e0"`, `"1000m"` | 1 |
    | `"0"` | 0 |
    | `"0.5"`, `"-1"`, `"1e30"`, `"one"`, `"NaN"` | QuantityError |

    Source: Kubernetes, core/validation `ValidateResourceQuantityValue`.
    """
    if _is_plain(raw):
        return int(raw)
    value = _parsed(raw, _NUMBER)
    if value.denominator != 1:
        raise QuantityError(f"{str(raw)!r} is a fraction; {_NUMBER}")
    if value < 0:
        raise QuantityError(f"{str(raw)!r} is negative; {_NUMBER}")
    return int(value)


def _parsed(raw: Raw, instead: str) -> Fraction:
    """The value of a quantity, or an error with what to write instead."""
    try:
        value = parse_quantity(raw)
    except QuantityError as error:
        raise QuantityError(f"{error}; {instead}") from None
    if value > MAX_COUNT:
        raise QuantityError(f"{str(raw)!r} is more than Kubernetes can count; {instead}")
    return value


def is_zero(raw: Raw | None) -> bool:
    """Return whether a quantity is absent or zero. One that cannot be read is neither."""
    if raw is None or _is_plain(raw):
        return not int(raw or 0)
    try:
        return parse_quantity(raw) == 0
    except QuantityError:
        return False


def _is_plain(raw: Raw) -> bool:
    """Whether a quantity is a few digits, as most are: a Fraction takes long."""
    if type(raw) is int:
        return 0 <= raw < 10**_PLAIN
    return isinstance(raw, str) and len(raw) <= _PLAIN and raw.isascii() and raw.isdecimal()


def mebibytes(raw: Raw) -> int:
    """Return an amount of memory in MiB, rounded up.

    Raises:
        QuantityError: not a quantity, or under 1 MiB: `20` means 20 bytes, which nobody wants.

    """
    value = _parsed(raw, _MEMORY)
    if value < MIB:
        raise QuantityError(f"{str(raw)!r} is less than 1Mi; {_MEMORY}")
    return -(-value.numerator // (value.denominator * MIB))


def counted(number: int | None, noun: str) -> str:
    """Return "1 node", "2 nodes", or "no nodes" where the number is not known."""
    told = "no" if number is None else number
    return f"{told} {noun}" if number == 1 else f"{told} {noun}s"
