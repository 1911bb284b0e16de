"""What is wrong with a CA or a leaf, as a reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import pki
from certs.pki import KeyPair
from certs.reasons import CertReason

RENEW_NUMERATOR: Final = 2  # of a certificate's life, after which it is replaced
RENEW_DENOMINATOR: Final = 3


@dataclass(frozen=True, slots=True)
class DateReasons:
    """What can be wrong with the dates of a CA, or of a leaf."""

    early: CertReason
    expired: CertReason
    aged: CertReason


_CA: Final = DateReasons(CertReason.CA_NOT_YET_VALID, CertReason.CA_EXPIRED, CertReason.CA_AGED)
_LEAF: Final = DateReasons(
    CertReason.LEAF_NOT_YET_VALID, CertReason.LEAF_EXPIRED, CertReason.LEAF_AGED
)


def validate_ca(ca: KeyPair, now: datetime) -> CertReason | None:
    """Return why a CA cannot go on signing, None while it can."""
    return next(_ca_faults(ca, now), None)


def validate_leaf(
    leaf: KeyPair, trusted: Iterable[x509.Certificate], names: tuple[str, ...], now: datetime
) -> CertReason | None:
    """Return why a leaf should not be served any longer, None while it can.

    Of the trusted CAs only those count that are valid now.
    """
    return next(_leaf_faults(leaf, tuple(trusted), names, now), None)


def may_sign(cert: x509.Certificate) -> bool:
    """Whether the extensions of a certificate make it a CA."""
    try:
        constraints = cert.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
        cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and usage.key_cert_sign


def is_valid_at(cert: x509.Certificate, now: datetime) -> bool:
    """Whether a moment is between the dates of a certificate."""
    return cert.not_valid_before_utc <= now < cert.not_valid_after_utc


def renewal_time(cert: x509.Certificate) -> datetime:
    """The moment at which two thirds of a certificate's life are over."""
    life = cert.not_valid_after_utc - cert.not_valid_before_utc
    return cert.not_valid_before_utc + life * RENEW_NUMERATOR / RENEW_DENOMINATOR


# The faults of each come in order of weight, and only the first is ever asked for.


def _ca_faults(ca: KeyPair, now: datetime) -> Iterator[CertReason]:
    if not (ca.cert or ca.key):
        yield CertReason.CA_MISSING
    cert = pki.read_cert(ca.cert)
    if cert is None:
        yield CertReason.CA_UNREADABLE
        return
    if not may_sign(cert):
        yield CertReason.CA_NOT_A_CA
    if not pki.matches(cert, ca.key):
        yield CertReason.CA_KEY_MISMATCH
    yield from _date_faults(cert, now, _CA)


def _leaf_faults(
    leaf: KeyPair, trusted: tuple[x509.Certificate, ...], names: tuple[str, ...], now: datetime
) -> Iterator[CertReason]:
    if not (leaf.cert or leaf.key):
        yield CertReason.LEAF_MISSING
    cert = pki.read_cert(leaf.cert)
    if cert is None:
        yield CertReason.LEAF_UNREADABLE
        return
    if not pki.matches(cert, leaf.key):
        yield CertReason.LEAF_KEY_MISMATCH
    if not _names(cert).issuperset(names):
        yield CertReason.LEAF_WRONG_NAMES
    if not _is_for_servers(cert):
        yield CertReason.LEAF_NOT_FOR_SERVERS
    if not any(pki.is_signed(cert, ca) for ca in trusted if is_valid_at(ca, now)):
        yield (
            CertReason.LEAF_EXPIRED
            if cert.not_valid_after_utc <= now
            else CertReason.LEAF_NOT_SIGNED
        )
    yield from _date_faults(cert, now, _LEAF)


def _date_faults(
    cert: x509.Certificate, now: datetime, reasons: DateReasons
) -> Iterator[CertReason]:
    if now < cert.not_valid_before_utc:
        yield reasons.early
    if now >= cert.not_valid_after_utc:
        yield reasons.expired
    if now >= renewal_time(cert):
        yield reasons.aged


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
