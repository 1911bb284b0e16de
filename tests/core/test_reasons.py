"""A reason leads people to its explanation, and stays in what is cut."""

from webhook.core.api import denials
from webhook.core.api import reason as texts
from webhook.core.checks.registry import REASONS


def test_a_link_names_the_reason_after_the_page() -> None:
    assert texts.link(denials.NO_OFFER) == "kubectl gpu-sharing reasons no_offer"
    assert texts.link(denials.NO_OFFER, "https://wiki/x") == "https://wiki/x#no_offer"


def test_a_link_stands_at_the_end_of_a_message() -> None:
    said = texts.with_link("no [no_offer]", denials.NO_OFFER, "https://wiki/x")
    assert said == "no [no_offer] - see https://wiki/x#no_offer"


def test_every_link_fits_into_a_warning_that_kubectl_shows_whole() -> None:
    assert all(len(f"see {texts.link(reason)}") <= 120 for reason in REASONS.values())


def test_what_is_cut_keeps_the_code() -> None:
    assert texts.truncate("short [no_offer]", denials.NO_OFFER, 20) == "short [no_offer]"
    cut = texts.truncate("x" * 100, denials.NO_OFFER, 30)
    assert cut == "x" * 16 + "... [no_offer]"
    assert len(cut) == 30
