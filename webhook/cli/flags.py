"""Addresses that people give: where to listen, and the page that explains reasons; opens none."""

import re
from typing import Final

from webhook.cli.manifests import InputError

OFF: Final = "off"
HIGHEST_PORT: Final = 65535
_PAGE: Final = re.compile(r"https?://[!-\"$-~]{1,180}")  # and `#code` after it, in a warning


def listening(flag: str, text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; no host means every address.

    Raises:
        InputError: it is not of that form.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise InputError(f"{flag} {text!r}: expected HOST:PORT with a port up to {HIGHEST_PORT}")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - what an empty host means


def listening_if_wanted(flag: str, text: str) -> tuple[str, int] | None:
    """The same, or None for `off`.

    Raises:
        InputError: it is neither.
    """
    return None if text == OFF else listening(flag, text)


def page(flag: str, text: str) -> str:
    """The page to which a reason's `#code` is added; empty for none.

    | given | page |
    |---|---|
    | nothing, or `off` | none |
    | an http or https URL without `#` | that |

    Raises:
        InputError: anything else.
    """
    if text in ("", OFF):
        return ""
    if not _PAGE.fullmatch(text):
        raise InputError(f"{flag} {text[:63]!r}: expected the URL of a page, without #, or off")
    return text
