"""Flags are read from one table; a wrong one is refused by its name."""

import argparse
import re
import socket
from datetime import timedelta

import pytest

from webhook.process.flags import (
    Address,
    Flag,
    SettingsError,
    add_flags,
    one_of,
    or_off,
    read_address,
    read_flags,
    read_page,
    read_seconds,
    read_switch,
)
from webhook.process.listen import listen

PAGE = Flag("--page", "URL", "", "https://wiki", read_page, may_be_empty=True)
BIND = Flag("--bind", "HOST:PORT", "", ":80", or_off(read_address))
NAME = Flag("--the-name", "NAME", "", required=True)
FLAGS = (PAGE, BIND, NAME, Flag("--file", "FILE", ""))


def read(*arguments: str, **environment: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_flags(parser, FLAGS, "OUR_", environment)
    return read_flags(FLAGS, parser.parse_args(arguments))


def test_flags_win_over_the_environment_and_both_over_defaults() -> None:
    found = read("--page", "https://flag", OUR_PAGE="https://x", OUR_THE_NAME="n", OUR_BIND="")
    assert found == {
        "page": "https://flag",
        "bind": read_address(":80"),
        "the_name": "n",
        "file": None,
    }
    assert read("--the-name", "n", OUR_PAGE="")["page"] == ""


def test_a_flag_may_be_given_more_than_once_or_with_commas_in_its_variable() -> None:
    parser = argparse.ArgumentParser()
    many = Flag("--bind", "HOST:PORT", "", read=read_address, many=True)
    add_flags(parser, (many,), "OUR_", {"OUR_BIND": "a:1,b:2"})
    two = (Address("a", 1), Address("b", 2))
    assert read_flags((many,), parser.parse_args([])) == {"bind": two}
    given = parser.parse_args(["--bind", "c:3", "--bind", "d:4"])
    assert read_flags((many,), given) == {"bind": (Address("c", 3), Address("d", 4))}
    assert many.value(None) == ()


def test_a_flag_without_a_default_may_be_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read()
    assert ended.value.code == 2
    assert "--the-name" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["https://wiki/x", "http://10.0.0.1:8080/a?b=c&d=%20"])
def test_a_url_is_a_page(text: str) -> None:
    assert PAGE.value(text) == text


@pytest.mark.parametrize("text", ["", "off"])
def test_a_page_may_be_none(text: str) -> None:
    assert PAGE.value(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("wiki", "ftp://wiki/x", "https://", "https://w/#a", "https://w/ a", "https://ä/", "OFF"),
        "https://" + "w" * 181,  # leaves room for the reason in a warning
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--page '.*': expected the URL of a page"):
        PAGE.value(text)


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("127.0.0.1:8443", Address("127.0.0.1", 8443), "127.0.0.1:8443"),
        ("[::1]:0", Address("::1", 0), "[::1]:0"),
    ],
)
def test_where_to_listen(text: str, address: Address, shown: str) -> None:
    assert BIND.value(text) == address
    assert str(address) == shown


def test_no_host_means_every_address() -> None:
    hosts = ["127.0.0.1", "::1"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
    with listen(read_address(":0")) as listening:
        for host in hosts:
            socket.create_connection((host, listening.getsockname()[1]), timeout=5).close()


@pytest.mark.parametrize("text", ["a", "a:b", "a:65536", "", "a:-1"])
def test_where_nobody_can_listen(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--bind .*expected HOST:PORT .* or off$"):
        BIND.value(text)


def test_listening_may_be_off() -> None:
    assert BIND.value("off") is None


def test_other_kinds_of_values() -> None:
    assert read_seconds("0.5") == timedelta(seconds=0.5)
    assert (read_switch("on"), read_switch("off")) == (True, False)
    assert one_of(("a", "b"))("b") == "b"
    for reading, text, told in (
        (read_seconds, "0", "a number of seconds above 0"),
        (read_seconds, "inf", "a number of seconds above 0"),
        (read_switch, "yes", "on or off"),
        (one_of(("a", "b")), "c", "one of a, b"),
    ):
        with pytest.raises(ValueError, match=f"^expected {re.escape(told)}$"):
            reading(text)
