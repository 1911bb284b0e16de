"""A reason leads people to its explanation, and stays in what is cut."""

import pytest

from webhook.core.api import reason as texts
from webhook.core.api import reasons
from webhook.core.api.reason import Reason
from webhook.core.checks.registry import REASONS, parse_code


def test_a_link_names_the_reason_after_the_page() -> None:
    assert texts.link(reasons.NO_OFFER) == f"{texts.PAGE}#no_offer"
    assert texts.link(reasons.NO_OFFER, "https://wiki/x") == "https://wiki/x#no_offer"


@pytest.mark.parametrize("page", [texts.PAGE, "http://wiki.local/gpu?page=1"])
def test_a_link_at_the_end_of_a_message_can_be_taken_off_again(page: str) -> None:
    message = 'container "a": no - see below [no_offer]'
    assert texts.split_link(texts.with_link(message, reasons.NO_OFFER, page)) == (message, page)
    assert texts.split_link(message) == (message, None)


def test_every_link_fits_into_a_warning_that_kubectl_shows_whole() -> None:
    assert all(len(f"see {texts.link(reason)}") <= 120 for reason in REASONS.values())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("something is so [no_offer]", reasons.NO_OFFER),
        ("[privileged]", reasons.PRIVILEGED),
        ("something is so [no_such_reason]", None),
        ("[no_offer] something is so", None),
        ("", None),
    ],
)
def test_the_code_at_the_end_of_a_text_is_read(text: str, reason: Reason | None) -> None:
    assert parse_code(text) is reason


def test_what_is_cut_keeps_the_code() -> None:
    assert texts.truncate("short [no_offer]", reasons.NO_OFFER, 20) == "short [no_offer]"
    cut = texts.truncate("x" * 100, reasons.NO_OFFER, 30)
    assert cut == "x" * 16 + "... [no_offer]"
    assert len(cut) == 30
