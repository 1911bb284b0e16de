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
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            try:
                held.enter_context(
                    socket.create_server((address.host, address.port), family=family)
                )
            except OSError as error:
                why = str(error.strerror).partition(" (while")[0]
                raise SettingsError(f"{flag} {str(address)!r}: {why}") from None
