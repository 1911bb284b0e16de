"""Judging: a table of what can be wrong with a CA and with a leaf, each with its exact reason."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from minting import (
    DAY,
    NAMES,
    NOW,
    cert_of,
    client_auth,
    leaf_of,
    rsa_key,
    san,
    self_signed,
    server_auth,
)

from certs import pki, validation
from certs.pki import KeyPair
from certs.reasons import CertReason

CA = pki.issue_ca(NOW)
LEAF = pki.issue_leaf(CA, NAMES, NOW)
OTHER = pki.issue_ca(NOW)
SECOND = timedelta(seconds=1)

# A constraint without a key usage, and the other way round, make no CA.
CONSTRAINT = x509.BasicConstraints(ca=True, path_length=None)

CA_CASES: dict[str, tuple[KeyPair, datetime, CertReason | None]] = {
    "good": (CA, NOW, None),
    "nothing": (KeyPair(), NOW, CertReason.CA_MISSING),
    "no certificate": (KeyPair(b"", CA.key), NOW, CertReason.CA_UNREADABLE),
    "garbage": (KeyPair(b"\x00", CA.key), NOW, CertReason.CA_UNREADABLE),
    "half written": (KeyPair(CA.cert[:300], CA.key), NOW, CertReason.CA_UNREADABLE),
    "CA:TRUE missing": (self_signed(), NOW, CertReason.CA_NOT_A_CA),
    "usage missing": (self_signed(CONSTRAINT), NOW, CertReason.CA_NOT_A_CA),
    "a leaf": (LEAF, NOW, CertReason.CA_NOT_A_CA),
    "no key": (KeyPair(CA.cert, b""), NOW, CertReason.CA_KEY_MISMATCH),
    "garbage key": (KeyPair(CA.cert, b"\x00"), NOW, CertReason.CA_KEY_MISMATCH),
    "another's key": (KeyPair(CA.cert, OTHER.key), NOW, CertReason.CA_KEY_MISMATCH),
    "key of another kind": (KeyPair(CA.cert, rsa_key()), NOW, CertReason.CA_KEY_MISMATCH),
    "clock set back": (CA, NOW - DAY, CertReason.CA_NOT_YET_VALID),
    "just before two thirds": (CA, validation.renewal_time(cert_of(CA)) - SECOND, None),
    "at two thirds": (CA, validation.renewal_time(cert_of(CA)), CertReason.CA_AGED),
    "last second": (CA, NOW + 365 * DAY - SECOND, CertReason.CA_AGED),
    "ended": (CA, NOW + 365 * DAY, CertReason.CA_EXPIRED),
}


def leaf_with(*extensions: x509.ExtensionType) -> KeyPair:
    return leaf_of(CA, *extensions)


LEAF_CASES: dict[str, tuple[KeyPair, datetime, CertReason | None]] = {
    "good": (LEAF, NOW, None),
    "nothing": (KeyPair(), NOW, CertReason.LEAF_MISSING),
    "no certificate": (KeyPair(b"", LEAF.key), NOW, CertReason.LEAF_UNREADABLE),
    "garbage": (KeyPair(b"garbage", LEAF.key), NOW, CertReason.LEAF_UNREADABLE),
    "no key": (KeyPair(LEAF.cert, b""), NOW, CertReason.LEAF_KEY_MISMATCH),
    "another's key": (KeyPair(LEAF.cert, CA.key), NOW, CertReason.LEAF_KEY_MISMATCH),
    "a name less": (leaf_with(san(*NAMES[1:]), server_auth()), NOW, CertReason.LEAF_WRONG_NAMES),
    "no names": (leaf_with(server_auth()), NOW, CertReason.LEAF_WRONG_NAMES),
    "a name more": (leaf_with(san(*NAMES, "more"), server_auth()), NOW, None),
    "for clients": (leaf_with(san(*NAMES), client_auth()), NOW, CertReason.LEAF_NOT_FOR_SERVERS),
    "for nobody": (leaf_with(san(*NAMES)), NOW, CertReason.LEAF_NOT_FOR_SERVERS),
    "of another CA": (pki.issue_leaf(OTHER, NAMES, NOW), NOW, CertReason.LEAF_NOT_SIGNED),
    "begins later": (pki.issue_leaf(CA, NAMES, NOW + DAY), NOW, CertReason.LEAF_NOT_YET_VALID),
    "just before two thirds": (LEAF, validation.renewal_time(cert_of(LEAF)) - SECOND, None),
    "at two thirds": (LEAF, validation.renewal_time(cert_of(LEAF)), CertReason.LEAF_AGED),
    "ended": (LEAF, NOW + 90 * DAY, CertReason.LEAF_EXPIRED),
    "ended with its CA": (LEAF, NOW + 400 * DAY, CertReason.LEAF_EXPIRED),
}


@pytest.mark.parametrize("case", CA_CASES)
def test_a_ca_is_judged_with_its_reason(case):
    ca, now, reason = CA_CASES[case]
    assert validation.validate_ca(ca, now) is reason


@pytest.mark.parametrize("case", LEAF_CASES)
def test_a_leaf_is_judged_with_its_reason(case):
    leaf, now, reason = LEAF_CASES[case]
    assert validation.validate_leaf(leaf, [cert_of(CA)], NAMES, now) is reason


def test_a_leaf_whose_ca_has_ended_is_not_signed_however_young_it_is():
    ended = pki.issue_ca(NOW - 366 * DAY)
    young = leaf_of(ended, san(*NAMES), server_auth())
    assert (
        validation.validate_leaf(young, [cert_of(ended)], NAMES, NOW) is CertReason.LEAF_NOT_SIGNED
    )


def test_a_replaced_ca_has_longer_to_live_than_a_new_leaf():
    assert validation.renewal_time(cert_of(CA)) + pki.LEAF_LIFE < cert_of(CA).not_valid_after_utc


def test_every_reason_has_a_sentence():
    texts = [reason.value for reason in CertReason]
    assert all(text.endswith(".") and text[0].isupper() for text in texts)


def test_what_a_judge_finds_for_random_bytes_is_a_reason_and_no_error():
    damages: tuple[Callable[[bytes], bytes], ...] = (
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem.replace(b"A", b"B"),
        lambda pem: pem[::-1],
        lambda pem: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + pem,
    )
    for damage in damages:
        assert (
            validation.validate_ca(KeyPair(damage(CA.cert), CA.key), NOW)
            is CertReason.CA_UNREADABLE
        )
        found = validation.validate_leaf(
            KeyPair(damage(LEAF.cert), LEAF.key), [cert_of(CA)], NAMES, NOW
        )
        assert found is CertReason.LEAF_UNREADABLE
