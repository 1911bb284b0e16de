"""Issuing: what is in a CA and in a leaf, and that others verify the chain."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from minting import DAY, NAMES, NOW, cert_of, verifies

from certs import pki
from certs.pki import KeyPair


def extension(pair: KeyPair, kind: type[x509.ExtensionType]) -> x509.Extension:
    return cert_of(pair).extensions.get_extension_for_class(kind)


@pytest.fixture(scope="module")
def ca() -> KeyPair:
    return pki.issue_ca(NOW)


@pytest.fixture(scope="module")
def leaf(ca: KeyPair) -> KeyPair:
    return pki.issue_leaf(ca, NAMES, NOW)


def handshake(leaf: KeyPair, bundle: bytes, folder: Path, name: str = NAMES[0]) -> None:
    """Shake hands in memory as the API server would; raises ssl.SSLError."""
    for file, data in (("crt", leaf.cert), ("key", leaf.key)):
        (folder / file).write_bytes(data)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "crt", folder / "key")
    calling = ssl.create_default_context(cadata=bundle.decode())
    calling.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        calling.wrap_bio(to_client, to_server, server_hostname=name),
        serving.wrap_bio(to_server, to_client, server_side=True),
    ]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)


def test_names_are_those_of_a_service_and_the_required_one_is_first():
    assert pki.service_names("web", "ns") == ("web.ns.svc", "web.ns.svc.cluster.local", "web.ns")


def test_a_ca_signs_certificates_and_nothing_else(ca):
    constraints, usage = extension(ca, x509.BasicConstraints), extension(ca, x509.KeyUsage)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    own = extension(ca, x509.SubjectKeyIdentifier).value.digest
    assert extension(ca, x509.AuthorityKeyIdentifier).value.key_identifier == own


def test_both_are_p256_and_begin_an_hour_ago(ca, leaf):
    for pair in (ca, leaf):
        assert isinstance(cert_of(pair).public_key().curve, ec.SECP256R1)
        assert cert_of(pair).not_valid_before_utc == NOW - timedelta(hours=1)
    assert cert_of(ca).not_valid_after_utc == NOW + 365 * DAY
    assert cert_of(leaf).not_valid_after_utc == NOW + 90 * DAY


def test_a_leaf_is_for_servers_of_these_names_and_knows_its_ca(ca, leaf):
    names = extension(leaf, x509.SubjectAlternativeName).value
    assert tuple(names.get_values_for_type(x509.DNSName)) == NAMES
    usage = extension(leaf, x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extension(leaf, x509.BasicConstraints).value.ca
    key_id = extension(ca, x509.SubjectKeyIdentifier).value.digest
    assert extension(leaf, x509.AuthorityKeyIdentifier).value.key_identifier == key_id


def test_a_leaf_never_outlives_its_ca(ca):
    late = pki.issue_leaf(ca, NAMES, NOW + 300 * DAY)
    assert cert_of(late).not_valid_after_utc == cert_of(ca).not_valid_after_utc


def test_names_longer_than_a_common_name_may_be_are_no_problem(ca):
    names = pki.service_names("s" * 63, "n" * 63)
    leaf = pki.issue_leaf(ca, names, NOW)
    assert all(verifies(leaf.cert, ca.cert, NOW, name) for name in names)


@pytest.mark.parametrize("name", NAMES)
def test_a_chain_verifies_for_each_name_during_the_leafs_life_only(ca, leaf, name):
    assert verifies(leaf.cert, ca.cert, NOW, name)
    assert verifies(leaf.cert, ca.cert, NOW + 89 * DAY, name)
    assert not verifies(leaf.cert, ca.cert, NOW + 91 * DAY, name)
    assert not verifies(leaf.cert, ca.cert, NOW - DAY, name)
    assert not verifies(leaf.cert, pki.issue_ca(NOW).cert, NOW, name)
    assert not verifies(leaf.cert, ca.cert, NOW, "other.ns.svc")


def test_two_cas_have_two_names_so_that_a_bundle_of_both_is_unambiguous(ca):
    assert cert_of(pki.issue_ca(NOW)).subject != cert_of(ca).subject


def test_openssl_shakes_hands_strictly_with_either_ca_in_the_bundle(tmp_path):
    now = datetime.now(UTC)
    old, new = pki.issue_ca(now), pki.issue_ca(now)
    for ca in (old, new):
        handshake(pki.issue_leaf(ca, NAMES, now), new.cert + old.cert, tmp_path)


def test_openssl_refuses_a_leaf_of_a_ca_that_is_not_in_the_bundle(tmp_path):
    now = datetime.now(UTC)
    leaf = pki.issue_leaf(pki.issue_ca(now), NAMES, now)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(leaf, pki.issue_ca(now).cert, tmp_path)


def test_a_bundle_is_read_around_what_is_damaged_and_without_repeats(ca, leaf):
    broken = ca.cert.replace(b"MII", b"???", 1)
    bundle = b"noise\n" + ca.cert + broken + ca.cert + leaf.cert
    assert pki.read_certs(bundle) == (cert_of(ca), cert_of(leaf))
    assert pki.read_certs(b"") == ()


def test_a_ca_that_cannot_be_read_signs_nothing():
    with pytest.raises(ValueError, match="not readable"):
        pki.issue_leaf(KeyPair(b"no", b"no"), NAMES, NOW)
