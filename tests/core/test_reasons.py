"""A reason leads people to its explanation, and stays in what is cut."""

import pytest

from webhook.core.api import reasons
from webhook.core.api.reasons import Reason


def test_a_link_names_the_reason_after_the_page() -> None:
    assert reasons.link(Reason.NO_OFFER) == f"{reasons.PAGE}#no_offer"
    assert reasons.link(Reason.NO_OFFER, "https://wiki/x") == "https://wiki/x#no_offer"


@pytest.mark.parametrize("page", [reasons.PAGE, "http://wiki.local/gpu?page=1"])
def test_a_link_at_the_end_of_a_message_can_be_taken_off_again(page: str) -> None:
    message = 'container "a": no - see below [no_offer]'
    assert reasons.unlinked(reasons.linked(message, Reason.NO_OFFER, page)) == (message, page)
    assert reasons.unlinked(message) == (message, None)


def test_every_link_fits_into_a_warning_that_kubectl_shows_whole() -> None:
    assert all(len(f"see {reasons.link(reason)}") <= 120 for reason in Reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("something is so [no_offer]", Reason.NO_OFFER),
        ("[privileged]", Reason.PRIVILEGED),
        ("something is so [no_such_reason]", None),
        ("[no_offer] something is so", None),
        ("", None),
    ],
)
def test_the_code_at_the_end_of_a_text_is_read(text: str, reason: Reason | None) -> None:
    assert reasons.named(text) is reason


def test_what_is_cut_keeps_the_code() -> None:
    assert reasons.fitted("short [no_offer]", Reason.NO_OFFER, 20) == "short [no_offer]"
    cut = reasons.fitted("x" * 100, Reason.NO_OFFER, 30)
    assert cut == "x" * 16 + "... [no_offer]"
    assert len(cut) == 30
