"""Certificates as values: issued, read and written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A year, not ten: a rotation that happens every eight months is one that works. And the third of
# a CA's life that is left when it is replaced (121 days) is more than a whole leaf's, so a leaf
# is never cut short by its CA.
CA_LIFE: Final = timedelta(days=365)
LEAF_LIFE: Final = timedelta(days=90)
BACKDATED: Final = timedelta(hours=1)  # API servers' clocks may be behind ours
LEAF_COMMON_NAME: Final = "gpu-sharing webhook"  # for people: the SAN has the names, of any length

_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM, empty where there is none."""

    cert: bytes = b""
    key: bytes = b""


NO_PAIR: Final = KeyPair()


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """Return the DNS names of a Service, the one that the API server uses first."""
    short = f"{service}.{namespace}"
    return (f"{short}.svc", f"{short}.svc.cluster.local", short)


def issue_ca(now: datetime) -> KeyPair:
    """Return a new CA with a name of its own.

    Two CAs in one bundle are told apart by name and by key id.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = _name(f"gpu-sharing webhook CA {serial:x}"[:64])
    builder = (
        _builder(name, key.public_key(), now)
        .issuer_name(name)
        .serial_number(serial)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue_leaf(ca: KeyPair, names: tuple[str, ...], now: datetime) -> KeyPair:
    """Return a serving certificate for names, which expires with its CA at the latest.

    Raises:
        ValueError: the CA cannot be read. Validate it first.
    """
    issuer, issuer_key = read_cert(ca.cert), _read_key(ca.key)
    if issuer is None or issuer_key is None:
        raise ValueError("the CA is not readable")
    key = ec.generate_private_key(ec.SECP256R1())
    key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(_name(LEAF_COMMON_NAME), key.public_key(), now)
        .issuer_name(issuer.subject)
        .serial_number(x509.random_serial_number())
        .not_valid_after(min(now + LEAF_LIFE, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
    )
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


@lru_cache(maxsize=64)  # each look reads the same few again
def read_cert(pem: bytes) -> x509.Certificate | None:
    """Return the first certificate, None if it cannot be read."""
    try:
        cert = x509.load_pem_x509_certificate(pem)
        _ = cert.extensions, cert.public_key()  # both are parsed only when asked for
    except _UNREADABLE:
        return None
    return cert


def read_certs(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return every certificate of a bundle that can be read, each once, in order."""
    found = (read_cert(block) for block in _BLOCK.findall(pem))
    return tuple(dict.fromkeys(cert for cert in found if cert is not None))


def write_certs(certs: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as one PEM bundle, the same bytes for the same certificates."""
    return b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert in certs)


def matches(cert: x509.Certificate, key: bytes) -> bool:
    """Whether a PEM private key is that of the certificate."""
    private = _read_key(key)
    return private is not None and private.public_key() == cert.public_key()


def is_signed(cert: x509.Certificate, ca: x509.Certificate) -> bool:
    """Whether the CA issued the certificate, by key and name but not by date."""
    try:
        cert.verify_directly_issued_by(ca)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


def _builder(
    subject: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(subject_name=subject, public_key=public)
        .not_valid_before(now - BACKDATED)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pair(cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return KeyPair(write_certs((cert,)), private)


def _read_key(pem: bytes) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except _UNREADABLE:
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None
