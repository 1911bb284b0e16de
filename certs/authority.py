"""What is stored, what the cluster holds, and what follows from them at once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509

from certs import pki
from certs.pki import NO_PAIR, KeyPair


class RotationPhase(StrEnum):
    """Where a rotation is. It is not stored: the certificates themselves show it."""

    STEADY = "steady"  # one CA
    SPREADING = "spreading"  # a new CA is trusted beside the old ones, and signs nothing yet
    RETIRING = "retiring"  # the leaf is the new CA's, and the old ones are still trusted


@dataclass(frozen=True, slots=True)
class Served:
    """What the server mounts: its pair, and the trusted CAs as `ca.crt`."""

    leaf: KeyPair = NO_PAIR
    bundle: bytes = b""


NOTHING_SERVED: Final = Served()


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What the cluster holds besides the authority.

    `bundles`: the caBundle of every webhook of ours that could be read. `complete`: all could.
    """

    bundles: tuple[bytes, ...] = ()
    served: Served = NOTHING_SERVED
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Authority:
    """What the authority Secret holds. `old` CAs are trusted and sign no more.

    `since` is the moment from which on everything that the phase waits for was seen in place.
    `intact`: whether the trusted CAs could all be read. What is written always is.
    """

    ca: KeyPair = NO_PAIR
    leaf: KeyPair = NO_PAIR
    old: tuple[x509.Certificate, ...] = ()
    since: datetime | None = None
    intact: bool = True

    @property
    def phase(self) -> RotationPhase:
        """The phase, by whether old CAs are trusted and by who signed the leaf."""
        if not self.old:
            return RotationPhase.STEADY
        leaf, ca = pki.read_cert(self.leaf.cert), pki.read_cert(self.ca.cert)
        signed = leaf is not None and ca is not None and pki.is_signed(leaf, ca)
        return RotationPhase.RETIRING if signed else RotationPhase.SPREADING

    @property
    def trusted(self) -> tuple[x509.Certificate, ...]:
        """The CAs that every caBundle is to hold, the newest first."""
        return (*pki.read_certs(self.ca.cert), *self.old)

    @property
    def to_serve(self) -> Served:
        """What the server is to mount."""
        return Served(self.leaf, pki.write_certs(self.trusted))

    def ca_held_by(self, view: ClusterView) -> bool:
        """Whether every caBundle holds the CA that signs. One that was not seen may lack it."""
        ca = pki.read_cert(self.ca.cert)
        return view.complete and all(ca in pki.read_certs(bundle) for bundle in view.bundles)

    def held_by(self, view: ClusterView) -> bool:
        """Whether every caBundle is exactly the trusted CAs."""
        bundle = self.to_serve.bundle
        return view.complete and all(each == bundle for each in view.bundles)
