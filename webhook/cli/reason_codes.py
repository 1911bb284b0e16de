"""Reason codes as people write them."""

from difflib import get_close_matches

from webhook.cli.manifests import InputError
from webhook.core.api.reason import Reason
from webhook.core.checks.registry import REASONS


def known_reason(text: str) -> Reason:
    """Return the reason that a person names.

    Raises:
        InputError: there is none; the message names those that are spelled nearly so.
    """
    wanted = text.strip("[]").lower().replace("-", "_")
    if wanted in REASONS:
        return REASONS[wanted]
    near = get_close_matches(wanted, REASONS, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"there is no reason {text!r}{hint} (`gpu-sharing reasons` lists all)")
