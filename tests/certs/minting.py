"""Certificates for tests: good ones at a fixed time, bad ones each in one way, and verification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from certs import pki
from certs.pki import KeyPair
from certs.rotation import RotationRules

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = pki.service_names("gpu-sharing", "gpu-sharing-system")
RULES = RotationRules(NAMES)


def cert_of(pair: KeyPair) -> x509.Certificate:
    cert = pki.read_cert(pair.cert)
    assert cert is not None
    return cert


def verifies(leaf: bytes, bundle: bytes, when: datetime, name: str = NAMES[0]) -> bool:
    """Whether a client that trusts the bundle accepts the leaf for a name at a time."""
    cas, cert = pki.read_certs(bundle), pki.read_cert(leaf)
    if not cas or cert is None:
        return False
    verifier = PolicyBuilder().store(Store(cas)).time(when.replace(tzinfo=None))
    try:
        verifier.build_server_verifier(x509.DNSName(name)).verify(cert, [])
    except VerificationError:
        return False
    return True


def pem_key(key: object) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def self_signed(*extensions: x509.ExtensionType) -> KeyPair:
    """A certificate of a year with only these extensions."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _signed(key, key, _name("bare"), extensions)


def leaf_of(ca: KeyPair, *extensions: x509.ExtensionType) -> KeyPair:
    """A leaf that a CA signed, with only these extensions."""
    signer = serialization.load_pem_private_key(ca.key, None)
    key = ec.generate_private_key(ec.SECP256R1())
    return _signed(key, signer, cert_of(ca).subject, extensions)


def san(*names: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])


def server_auth() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def client_auth() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def rsa_key() -> bytes:
    return pem_key(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signed(
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    extensions: tuple[x509.ExtensionType, ...],
) -> KeyPair:
    builder = x509.CertificateBuilder(
        subject_name=_name("bare"),
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=NOW - DAY,
        not_valid_after=NOW + 364 * DAY,
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    cert = builder.sign(signer, hashes.SHA256())
    return KeyPair(pki.write_certs([cert]), pem_key(key))
