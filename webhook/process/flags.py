"""Flags of a process as one table, each also an environment variable.

    FLAGS = (
        Flag("--bind", "HOST:PORT", "where to serve", ":8443", read_address),
        Flag("--tls-cert", "FILE", "PEM certificate chain", required=True),
    )
    add_flags(parser, FLAGS, "GPU_SHARING_", os.environ)
    values = read_flags(FLAGS, parser.parse_args())      # {"bind": Address(…), "tls_cert": "…"}

A flag wins over its variable, and that over the default.
"""

import argparse
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

T = TypeVar("T")

OFF: Final = "off"
WRONG_SETTINGS: Final = 2  # exit code
HIGHEST_PORT: Final = 65535
_PAGE: Final = re.compile(r"https?://[!-\"$-~]{1,180}")  # and `#code` after it, in a warning


class SettingsError(ValueError):
    """A setting is wrong. The message names the flag and what is expected."""


class Flag(Struct, frozen=True):
    """One row of the table.

    `read` turns the text into a value; it raises ValueError with what is expected. `may_be_empty`:
    an empty variable is that text, not the default. A flag without a default that is not required
    is None. `many` may be given more than once, in a variable with commas, and is a tuple.
    """

    name: str
    metavar: str
    help: str
    default: str | None = None
    read: Callable[[str], Any] = str
    required: bool = False
    may_be_empty: bool = False
    many: bool = False

    @property
    def key(self) -> str:
        """The name as an attribute."""
        return self.name.strip("-").replace("-", "_")

    def value(self, text: str | list[str] | None) -> Any:
        """Return the value of a text.

        Raise SettingsError.
        """
        if self.many:
            texts = text.split(",") if isinstance(text, str) else text or ()
            return tuple(map(replace(self, many=False).value, texts))
        if not isinstance(text, str):
            return None
        try:
            return self.read(text)
        except ValueError as error:
            raise SettingsError(f"{self.name} {text[:63]!r}: {error}") from None


class Address(Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        """As HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def add_flags(
    parser: argparse.ArgumentParser,
    flags: Iterable[Flag],
    prefix: str,
    environment: Mapping[str, str],
) -> None:
    """Add flags to a parser, with defaults from environment variables of a prefix.

    Nothing is read yet: a wrong variable may be overruled by a flag.
    """
    for flag in flags:
        variable = environment.get(prefix + flag.key.upper())
        given = variable if variable or (variable == "" and flag.may_be_empty) else flag.default
        parser.add_argument(
            flag.name,
            metavar=flag.metavar,
            default=given,
            action=_Collected if flag.many else "store",
            required=flag.required and given is None,
            help=f"{flag.help} (default {flag.default})" if flag.default else flag.help,
        )


class _Collected(argparse.Action):
    """Collects what is given on the command line, which overrules a variable."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's signature
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,  # noqa: ARG002 - as above
    ) -> None:
        """Take one more."""
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*(before if isinstance(before, list) else ()), values])


def read_flags(flags: Iterable[Flag], parsed: argparse.Namespace) -> dict[str, Any]:
    """Return the value of each flag by its key.

    Raise SettingsError for the first wrong one.
    """
    return {flag.key: flag.value(getattr(parsed, flag.key)) for flag in flags}


def or_off(read: Callable[[str], T]) -> Callable[[str], T | None]:
    """Return a reader that also takes `off`, which means None."""

    def read_or_off(text: str) -> T | None:
        try:
            return None if text == OFF else read(text)
        except ValueError as error:
            raise ValueError(f"{error} or off") from None

    return read_or_off


def read_address(text: str) -> Address:
    """Return the address of HOST:PORT, where no host means every one, of IPv6 too."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise ValueError(f"expected HOST:PORT with a port up to {HIGHEST_PORT}")
    every = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - what no host means
    return Address(host.strip("[]") or every, int(port))


def read_seconds(text: str) -> timedelta:
    """Return a time above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ValueError("expected a number of seconds above 0")
    return timedelta(seconds=seconds)


def read_switch(text: str) -> bool:
    """Return whether a text is `on`, not `off`."""
    if text not in ("on", OFF):
        raise ValueError("expected on or off")
    return text == "on"


def one_of(choices: Iterable[str]) -> Callable[[str], str]:
    """Return a reader of one of some words."""
    known = tuple(choices)

    def read_choice(text: str) -> str:
        if text not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return text

    return read_choice


def read_page(text: str) -> str:
    """Return the URL of a page without `#`, empty for nothing and for `off`."""
    if text in ("", OFF):
        return ""
    if not _PAGE.fullmatch(text):
        raise ValueError("expected the URL of a page, without #, or off")
    return text
