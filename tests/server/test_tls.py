"""The serving certificate: what is loaded, what is refused, what a running server hands out."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from serving import common_name, dial, https, make_pair, post, serving, until

from webhook.server.tls import BadPair, ServingCertificate


class Heard(list):
    """The events that a certificate told, with their fields."""

    def __call__(self, event: str, **fields: object) -> None:
        """Keep one."""
        self.append((event, fields))


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def certificate(pair, heard):
    loaded = ServingCertificate(*pair, heard)
    loaded.load()
    return loaded


def encrypted(key: Path) -> bytes:
    secret = serialization.BestAvailableEncryption(b"secret")
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret
    )


def days_from_now(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def of_rsa() -> bytes:
    key, form = rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.fixture
def spoil(pair, tmp_path):
    """Give what makes the pair bad in one of several ways, or good again."""
    cert, key = pair
    other = make_pair(tmp_path / "other", "other")[0].read_bytes()

    ways = {
        "mismatched": lambda: cert.write_bytes(other),
        "another kind": lambda: key.write_bytes(of_rsa()),
        "half-written": lambda: cert.write_bytes(cert.read_bytes()[:200]),
        "garbage": lambda: key.write_bytes(b"\x00 no PEM"),
        "half a key": lambda: key.write_bytes(key.read_bytes()[:100]),
        "no-cert": cert.unlink,
        "no-key": key.unlink,
        "encrypted": lambda: key.write_bytes(encrypted(key)),
        "ended": lambda: make_pair(cert.parent, "ended", end=days_from_now(-1)),
        "repaired": lambda: make_pair(cert.parent, "repaired", end=days_from_now(60)),
    }
    return lambda way: ways[way]()


EVERY_WAY = {
    "mismatched": "tls.key is not the key of",
    "another kind": "tls.key is not the key of",
    "half a key": "tls.key holds no PEM private key",
    "half-written": "tls.crt holds no PEM certificate",
    "garbage": "tls.key holds no PEM private key",
    "no-cert": "tls.crt cannot be read: No such file",
    "no-key": "tls.key cannot be read: No such file",
    "encrypted": "tls.key is encrypted",
}


# The certificate as an object: time is an argument.


def test_a_good_pair_is_loaded_and_told(certificate, heard):
    now = datetime.now(UTC).timestamp()
    assert certificate.loaded
    assert certificate.problem is None
    assert certificate.not_after == pytest.approx(now + 30 * 86400, abs=60)
    assert [event for event, _ in heard] == ["certificate_loaded"]


@pytest.mark.parametrize("year", [2049, 2050, 2150, 9999])
def test_an_end_is_read_in_either_form_of_a_time(year, tmp_path, heard):
    end = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    certificate = ServingCertificate(*make_pair(tmp_path, "late", end=end), heard)
    certificate.load()
    assert certificate.not_after == end.timestamp()


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_bad_pair_at_start_says_which_file_what_and_what_is_expected(way, spoil, pair, heard):
    spoil(way)
    certificate = ServingCertificate(*pair, heard)
    with pytest.raises(BadPair) as raised:
        certificate.load()
    assert EVERY_WAY[way] in str(raised.value)
    assert "expected: a PEM certificate" in str(raised.value)
    assert not certificate.loaded
    assert certificate.not_after == 0


@pytest.mark.parametrize("way", [*EVERY_WAY, "ended"])
def test_a_pair_that_becomes_bad_is_told_once_and_the_last_good_one_stays(
    way, spoil, certificate, heard
):
    good, now = certificate.not_after, certificate.not_after - 1000
    spoil(way)
    for second in range(5):
        certificate.refresh(now + second)
    assert [event for event, _ in heard] == ["certificate_loaded", "certificate_refused"]
    assert heard[-1][1] == {"problem": certificate.problem}
    assert certificate.loaded
    assert certificate.not_after == good

    spoil("repaired")
    certificate.refresh(now + 10)
    assert certificate.problem is None
    assert certificate.not_after > good
    assert heard[-1][0] == "certificate_loaded"


def test_two_different_problems_are_both_told(certificate, heard, spoil):
    for second, way in enumerate(["half-written", "no-cert"]):
        spoil(way)
        certificate.refresh(second)
    assert [event for event, _ in heard].count("certificate_refused") == 2


def test_files_are_looked_at_once_a_second_and_read_only_when_they_changed(
    certificate, heard, pair
):
    certificate.refresh(100.0)
    make_pair(pair[0].parent, "second")
    certificate.refresh(100.9)
    assert len(heard) == 1
    certificate.refresh(101.0)
    certificate.refresh(102.0)
    assert len(heard) == 2


def test_a_clock_that_is_set_back_does_not_stop_the_looking(certificate, heard, pair):
    certificate.refresh(1000.0)
    make_pair(pair[0].parent, "second")
    certificate.refresh(10.0)
    assert len(heard) == 2


def test_of_two_pairs_that_have_ended_by_our_clock_the_later_one_is_served(certificate, pair):
    ahead, good = certificate.not_after + 86400 * 300, certificate.not_after
    make_pair(pair[0].parent, "renewed", end=datetime.now(UTC) + timedelta(days=90))
    certificate.refresh(ahead)
    assert certificate.not_after > good
    assert certificate.problem is None


# The certificate on a running server.


def served_name(server, name: str | None = None) -> str:
    with dial(server, name) as connection:
        return common_name(connection)


def test_a_client_with_and_without_a_server_name_gets_the_certificate(server):
    assert served_name(server) == "first"
    assert served_name(server, "webhook.gpu.svc") == "first"


def test_tls_1_2_and_http_1_1_are_spoken_older_tls_and_http_2_are_not(server):
    with dial(server) as connection:
        assert connection.version() == "TLSv1.3"
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    offered.check_hostname, offered.verify_mode = False, ssl.CERT_NONE
    offered.maximum_version = ssl.TLSVersion.TLSv1_2
    offered.set_alpn_protocols(["h2", "http/1.1"])
    with dial(server, context=offered) as connection:
        assert (connection.version(), connection.selected_alpn_protocol()) == (
            "TLSv1.2",
            "http/1.1",
        )


def test_a_pair_replaced_in_place_is_served_and_open_connections_go_on(own, pair):
    with own() as server:
        kept = https(server)
        post(kept).read()
        socket = kept.sock
        make_pair(pair[0].parent, "second")
        until(lambda: served_name(server) == "second")
        assert served_name(server, "webhook.gpu.svc") == "second"
        assert post(kept, b"on").read() == b"on"
        assert kept.sock is socket
        assert common_name(socket) == "first"


def test_a_pair_replaced_as_kubernetes_does_is_served(tmp_path):
    """Files link to `..data/`, itself a link that is renamed over."""
    secret = tmp_path / "secret"
    make_pair(secret / "..1", "first")
    data = secret / "..data"
    data.symlink_to("..1")
    names = ("tls.crt", "tls.key")
    for name in names:
        (secret / name).symlink_to(Path("..data") / name)
    with serving(tmp_path, (secret / names[0], secret / names[1])) as server:
        assert served_name(server) == "first"
        make_pair(secret / "..2", "second")
        (secret / "..new").symlink_to("..2")
        (secret / "..new").rename(data)
        until(lambda: served_name(server) == "second")


def test_a_server_keeps_its_certificate_through_bad_pairs(own, spoil):
    with own() as server:
        kept = https(server)
        post(kept).read()
        for way in ("mismatched", "half-written", "no-cert"):
            spoil(way)
            until(lambda way=way: server.said(EVERY_WAY[way]))
            assert served_name(server) == "first"
            assert post(kept, b"on").read() == b"on"
        spoil("repaired")
        until(lambda: served_name(server) == "repaired")
