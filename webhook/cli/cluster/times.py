"""Times and spans as people write and read them."""

import argparse
import re
from datetime import datetime, timedelta
from typing import Final

_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LADDER: Final = tuple(reversed(_UNITS.items()))
_LARGE: Final = 3
"""From this many on one unit is exact enough, as in kubectl's AGE: `3h`, but `2h30m`."""


def span(text: str) -> int:
    """Read `90s`, `10m`, `2h` or `1d` as seconds. This is an argparse type."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: write a time such as 10m, 2h or 1d")
    return int(found[1]) * _UNITS[found[2]]


def short(seconds: float) -> str:
    """Seconds as kubectl shows an age: `45s`, `2m5s`, `7m`, `2h30m`, `3d`."""
    left = max(int(seconds), 0)
    for index, (unit, size) in enumerate(_LADDER):
        if left < size:
            continue
        count, rest = divmod(left, size)
        smaller, step = _LADDER[min(index + 1, len(_LADDER) - 1)]
        more = f"{rest // step}{smaller}" if count < _LARGE and rest >= step else ""
        return f"{count}{unit}{more}"
    return "0s"


def age(now: datetime, then: datetime | None) -> str | None:
    """How long ago something was. It is None where nobody knows."""
    return None if then is None else short((now - then).total_seconds())


def ago(now: datetime, then: datetime | None) -> str:
    """The same in a sentence."""
    return "at an unknown time" if then is None else f"{age(now, then)} ago"


def clock(then: datetime | None) -> str | None:
    """A moment in UTC to the second, as the API server writes it."""
    if then is None:
        return None
    offset = then.utcoffset() or timedelta()
    return (then - offset).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
