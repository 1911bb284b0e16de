"""Addresses that people give are read, or refused by the name of their flag."""

import pytest

from webhook.cli import flags
from webhook.cli.manifests import InputError


@pytest.mark.parametrize("text", ["https://wiki/x", "http://10.0.0.1:8080/a?b=c&d=%20"])
def test_a_url_is_a_page(text: str) -> None:
    assert flags.page("--page", text) == text


@pytest.mark.parametrize("text", ["", "off"])
def test_a_page_may_be_none(text: str) -> None:
    assert flags.page("--page", text) == ""


@pytest.mark.parametrize(
    "text",
    ["wiki", "ftp://wiki/x", "https://", "https://w/#a", "https://w/ a", "https://ä/", "OFF"],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"^--page "):
        flags.page("--page", text)


def test_a_page_leaves_room_for_the_reason_in_a_warning() -> None:
    with pytest.raises(InputError):
        flags.page("--page", "https://" + "w" * 181)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8443", ("127.0.0.1", 8443)),
        (":8443", ("0.0.0.0", 8443)),  # noqa: S104 - what an empty host means
        ("[::1]:0", ("::1", 0)),
    ],
)
def test_where_to_listen(text: str, address: tuple[str, int]) -> None:
    assert flags.listening("--bind", text) == address
    assert flags.listening_if_wanted("--bind", text) == address


@pytest.mark.parametrize("text", ["a", "a:b", "a:65536", "", "a:-1"])
def test_where_nobody_can_listen(text: str) -> None:
    with pytest.raises(InputError, match=r"^--bind .*expected HOST:PORT"):
        flags.listening("--bind", text)


def test_listening_may_be_off() -> None:
    assert flags.listening_if_wanted("--metrics-bind", "off") is None
