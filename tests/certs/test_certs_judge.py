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

from certs import judge, pki
from certs.pki import Pair
from certs.reasons import SENTENCES, Reason

CA = pki.issue_ca(NOW)
LEAF = pki.issue_leaf(CA, NAMES, NOW)
OTHER = pki.issue_ca(NOW)
SECOND = timedelta(seconds=1)

# A constraint without a key usage, and the other way round, make no CA.
CONSTRAINT = x509.BasicConstraints(ca=True, path_length=None)

CA_CASES: dict[str, tuple[Pair, datetime, Reason | None]] = {
    "good": (CA, NOW, None),
    "nothing": (Pair(), NOW, Reason.CA_MISSING),
    "no certificate": (Pair(b"", CA.key), NOW, Reason.CA_UNREADABLE),
    "garbage": (Pair(b"\x00", CA.key), NOW, Reason.CA_UNREADABLE),
    "half written": (Pair(CA.cert[:300], CA.key), NOW, Reason.CA_UNREADABLE),
    "CA:TRUE missing": (self_signed(), NOW, Reason.CA_NOT_A_CA),
    "usage missing": (self_signed(CONSTRAINT), NOW, Reason.CA_NOT_A_CA),
    "a leaf": (LEAF, NOW, Reason.CA_NOT_A_CA),
    "no key": (Pair(CA.cert, b""), NOW, Reason.CA_KEY_MISMATCH),
    "garbage key": (Pair(CA.cert, b"\x00"), NOW, Reason.CA_KEY_MISMATCH),
    "another's key": (Pair(CA.cert, OTHER.key), NOW, Reason.CA_KEY_MISMATCH),
    "key of another kind": (Pair(CA.cert, rsa_key()), NOW, Reason.CA_KEY_MISMATCH),
    "clock set back": (CA, NOW - DAY, Reason.CA_NOT_YET_VALID),
    "just before two thirds": (CA, judge.renewal(cert_of(CA)) - SECOND, None),
    "at two thirds": (CA, judge.renewal(cert_of(CA)), Reason.CA_AGED),
    "last second": (CA, NOW + 365 * DAY - SECOND, Reason.CA_AGED),
    "ended": (CA, NOW + 365 * DAY, Reason.CA_EXPIRED),
}


def leaf_with(*extensions: x509.ExtensionType) -> Pair:
    return leaf_of(CA, *extensions)


LEAF_CASES: dict[str, tuple[Pair, datetime, Reason | None]] = {
    "good": (LEAF, NOW, None),
    "nothing": (Pair(), NOW, Reason.LEAF_MISSING),
    "no certificate": (Pair(b"", LEAF.key), NOW, Reason.LEAF_UNREADABLE),
    "garbage": (Pair(b"garbage", LEAF.key), NOW, Reason.LEAF_UNREADABLE),
    "no key": (Pair(LEAF.cert, b""), NOW, Reason.LEAF_KEY_MISMATCH),
    "another's key": (Pair(LEAF.cert, CA.key), NOW, Reason.LEAF_KEY_MISMATCH),
    "a name less": (leaf_with(san(*NAMES[1:]), server_auth()), NOW, Reason.LEAF_WRONG_NAMES),
    "no names": (leaf_with(server_auth()), NOW, Reason.LEAF_WRONG_NAMES),
    "a name more": (leaf_with(san(*NAMES, "more"), server_auth()), NOW, None),
    "for clients": (leaf_with(san(*NAMES), client_auth()), NOW, Reason.LEAF_NOT_FOR_SERVERS),
    "for nobody": (leaf_with(san(*NAMES)), NOW, Reason.LEAF_NOT_FOR_SERVERS),
    "of another CA": (pki.issue_leaf(OTHER, NAMES, NOW), NOW, Reason.LEAF_NOT_SIGNED),
    "begins later": (pki.issue_leaf(CA, NAMES, NOW + DAY), NOW, Reason.LEAF_NOT_YET_VALID),
    "just before two thirds": (LEAF, judge.renewal(cert_of(LEAF)) - SECOND, None),
    "at two thirds": (LEAF, judge.renewal(cert_of(LEAF)), Reason.LEAF_AGED),
    "ended": (LEAF, NOW + 90 * DAY, Reason.LEAF_EXPIRED),
    "ended with its CA": (LEAF, NOW + 400 * DAY, Reason.LEAF_EXPIRED),
}


@pytest.mark.parametrize("case", CA_CASES)
def test_a_ca_is_judged_with_its_reason(case):
    ca, now, reason = CA_CASES[case]
    assert judge.judge_ca(ca, now) is reason


@pytest.mark.parametrize("case", LEAF_CASES)
def test_a_leaf_is_judged_with_its_reason(case):
    leaf, now, reason = LEAF_CASES[case]
    assert judge.judge_leaf(leaf, [cert_of(CA)], NAMES, now) is reason


def test_a_leaf_whose_ca_has_ended_is_not_signed_however_young_it_is():
    ended = pki.issue_ca(NOW - 366 * DAY)
    young = leaf_of(ended, san(*NAMES), server_auth())
    assert judge.judge_leaf(young, [cert_of(ended)], NAMES, NOW) is Reason.LEAF_NOT_SIGNED


def test_a_replaced_ca_has_longer_to_live_than_a_new_leaf():
    assert judge.renewal(cert_of(CA)) + pki.LEAF_LIFE < cert_of(CA).not_valid_after_utc


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(Reason)
    assert all(text.endswith(".") and text[0].isupper() for text in SENTENCES.values())


def test_what_a_judge_finds_for_random_bytes_is_a_reason_and_no_error():
    damages: tuple[Callable[[bytes], bytes], ...] = (
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem.replace(b"A", b"B"),
        lambda pem: pem[::-1],
        lambda pem: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + pem,
    )
    for damage in damages:
        assert judge.judge_ca(Pair(damage(CA.cert), CA.key), NOW) is Reason.CA_UNREADABLE
        found = judge.judge_leaf(Pair(damage(LEAF.cert), LEAF.key), [cert_of(CA)], NAMES, NOW)
        assert found is Reason.LEAF_UNREADABLE
