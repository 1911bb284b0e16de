"""What is wrong with a CA or a leaf, and why: questions with a reason; issues nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import pki
from certs.pki import Pair
from certs.reasons import Reason

RENEW_NUMERATOR: Final = 2  # of a certificate's life, after which it is replaced
RENEW_DENOMINATOR: Final = 3


@dataclass(frozen=True, slots=True)
class Clock:
    """The reasons that a certificate's dates can give, which differ by its part."""

    early: Reason
    ended: Reason
    aged: Reason


_CA: Final = Clock(Reason.CA_NOT_YET_VALID, Reason.CA_EXPIRED, Reason.CA_AGED)
_LEAF: Final = Clock(Reason.LEAF_NOT_YET_VALID, Reason.LEAF_EXPIRED, Reason.LEAF_AGED)


def judge_ca(ca: Pair, now: datetime) -> Reason | None:
    """Return why a CA cannot go on signing; None while it is good."""
    return next(_ca_faults(ca, now), None)


def judge_leaf(
    leaf: Pair, trusted: Iterable[x509.Certificate], names: tuple[str, ...], now: datetime
) -> Reason | None:
    """Return why a leaf should not be served on; None while it is good.

    Of the trusted CAs only those count that `now` is within the life of.
    """
    return next(_leaf_faults(leaf, tuple(trusted), names, now), None)


def may_sign(cert: x509.Certificate) -> bool:
    """Whether a certificate is a CA by its extensions."""
    try:
        constraints = cert.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
        cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and usage.key_cert_sign


def is_alive(cert: x509.Certificate, now: datetime) -> bool:
    """Whether a moment is within a certificate's life."""
    return cert.not_valid_before_utc <= now < cert.not_valid_after_utc


def renewal(cert: x509.Certificate) -> datetime:
    """The moment at which two thirds of a certificate's life are over."""
    life = cert.not_valid_after_utc - cert.not_valid_before_utc
    return cert.not_valid_before_utc + life * RENEW_NUMERATOR / RENEW_DENOMINATOR


# The faults of each come in order of weight, and only the first is ever asked for.


def _ca_faults(ca: Pair, now: datetime) -> Iterator[Reason]:
    if not (ca.cert or ca.key):
        yield Reason.CA_MISSING
    cert = pki.read_cert(ca.cert)
    if cert is None:
        yield Reason.CA_UNREADABLE
        return
    if not may_sign(cert):
        yield Reason.CA_NOT_A_CA
    if not pki.matches(cert, ca.key):
        yield Reason.CA_KEY_MISMATCH
    yield from _clock_faults(cert, now, _CA)


def _leaf_faults(
    leaf: Pair, trusted: tuple[x509.Certificate, ...], names: tuple[str, ...], now: datetime
) -> Iterator[Reason]:
    if not (leaf.cert or leaf.key):
        yield Reason.LEAF_MISSING
    cert = pki.read_cert(leaf.cert)
    if cert is None:
        yield Reason.LEAF_UNREADABLE
        return
    if not pki.matches(cert, leaf.key):
        yield Reason.LEAF_KEY_MISMATCH
    if not _names(cert).issuperset(names):
        yield Reason.LEAF_WRONG_NAMES
    if not _is_for_servers(cert):
        yield Reason.LEAF_NOT_FOR_SERVERS
    if not any(pki.is_signed(cert, ca) for ca in trusted if is_alive(ca, now)):
        yield Reason.LEAF_EXPIRED if cert.not_valid_after_utc <= now else Reason.LEAF_NOT_SIGNED
    yield from _clock_faults(cert, now, _LEAF)


def _clock_faults(cert: x509.Certificate, now: datetime, clock: Clock) -> Iterator[Reason]:
    if now < cert.not_valid_before_utc:
        yield clock.early
    if now >= cert.not_valid_after_utc:
        yield clock.ended
    if now >= renewal(cert):
        yield clock.aged


def _names(cert: x509.Certificate) -> frozenset[str]:
    try:
        found = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(found.get_values_for_type(x509.DNSName))


def _is_for_servers(cert: x509.Certificate) -> bool:
    try:
        usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.SERVER_AUTH in usage
