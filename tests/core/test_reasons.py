"""A reason leads people to its explanation, and stays in what is cut."""

from webhook.core.api import reasons
from webhook.core.api.reasons import Reason


def test_a_link_names_the_reason_after_the_page() -> None:
    assert reasons.link(Reason.NO_OFFER) == f"{reasons.PAGE}#no_offer"
    assert reasons.link(Reason.NO_OFFER, "https://wiki/x") == "https://wiki/x#no_offer"


def test_a_link_stands_at_the_end_of_a_message() -> None:
    said = reasons.linked("no [no_offer]", Reason.NO_OFFER, "https://wiki/x")
    assert said == "no [no_offer] - see https://wiki/x#no_offer"


def test_every_link_fits_into_a_warning_that_kubectl_shows_whole() -> None:
    assert all(len(f"see {reasons.link(reason)}") <= 120 for reason in Reason)


def test_what_is_cut_keeps_the_code() -> None:
    assert reasons.fitted("short [no_offer]", Reason.NO_OFFER, 20) == "short [no_offer]"
    cut = reasons.fitted("x" * 100, Reason.NO_OFFER, 30)
    assert cut == "x" * 16 + "... [no_offer]"
    assert len(cut) == 30
