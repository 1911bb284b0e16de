"""What is stored, what is seen, and what follows from them at once; changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509

from certs import pki
from certs.pki import NO_PAIR, Pair


class Phase(StrEnum):
    """Where a rotation is. It is not stored: the certificates themselves say it."""

    STEADY = "steady"  # one CA
    SPREADING = "spreading"  # a new CA is trusted beside the old ones, and signs nothing yet
    RETIRING = "retiring"  # the leaf is the new CA's, and the old ones are still trusted


@dataclass(frozen=True, slots=True)
class State:
    """What the authority Secret holds. `old` CAs are trusted and sign no more.

    `since` is the moment from which on everything that the phase waits for was seen in place.
    `intact`: whether the trusted CAs could all be read; what is written always is.
    """

    ca: Pair = NO_PAIR
    leaf: Pair = NO_PAIR
    old: tuple[x509.Certificate, ...] = ()
    since: datetime | None = None
    intact: bool = True


@dataclass(frozen=True, slots=True)
class Served:
    """What the server mounts: its pair, and the CAs in force as `ca.crt`."""

    leaf: Pair = NO_PAIR
    bundle: bytes = b""


NOTHING_SERVED: Final = Served()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cluster holds besides the authority.

    `bundles`: the caBundle of every webhook of ours that could be read; `complete`: all could.
    """

    bundles: tuple[bytes, ...] = ()
    served: Served = NOTHING_SERVED
    complete: bool = True


def phase(state: State) -> Phase:
    """Tell the phase: by whether old CAs are trusted, and by who signed the leaf."""
    if not state.old:
        return Phase.STEADY
    leaf, ca = pki.read_cert(state.leaf.cert), pki.read_cert(state.ca.cert)
    ours = leaf is not None and ca is not None and pki.is_signed(leaf, ca)
    return Phase.RETIRING if ours else Phase.SPREADING


def trusted(state: State) -> tuple[x509.Certificate, ...]:
    """The CAs that every caBundle is to hold, the newest first."""
    return (*pki.read_certs(state.ca.cert), *state.old)


def projection(state: State) -> Served:
    """What the server is to mount: a pure function of the state."""
    return Served(state.leaf, pki.write_certs(trusted(state)))


def holds_ca(state: State, seen: Seen) -> bool:
    """Whether every caBundle was seen with the CA that signs; one that was not seen may lack it."""
    ca = pki.read_cert(state.ca.cert)
    return seen.complete and all(ca in pki.read_certs(bundle) for bundle in seen.bundles)


def holds_all(state: State, seen: Seen) -> bool:
    """Whether every caBundle was seen to be the one that follows from the state."""
    wanted = projection(state).bundle
    return seen.complete and all(bundle == wanted for bundle in seen.bundles)
