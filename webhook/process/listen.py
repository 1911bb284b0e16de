"""Addresses to listen at, tried before anything starts."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack

from webhook.process.flags import Address, SettingsError


def refuse_taken(addresses: Mapping[str, Address | None]) -> None:
    """Raise SettingsError for the first flag at whose address nobody can listen."""
    with ExitStack() as held:  # all at once, since two flags may name one address
        for flag, address in addresses.items():
            if address is None:
                continue
            try:
                held.enter_context(listen(address))
            except OSError as error:
                why = str(error.strerror).partition(" (while")[0]
                raise SettingsError(f"{flag} {str(address)!r}: {why}") from None


def listen(address: Address) -> socket.socket:
    """Return a socket that listens there, at `::` to clients over IPv4 too."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    both = address.host == "::" and socket.has_dualstack_ipv6()
    where = (address.host, address.port)
    return socket.create_server(where, family=family, dualstack_ipv6=both)
