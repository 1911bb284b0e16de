"""The serving certificate: loads a pair, and replaces it when its files change."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msgspec import Struct

from webhook.server.reload import Logger

EXPECTED = "expected: a PEM certificate (leaf first) and its unencrypted PEM private key"
EXPECTED_CA = "expected: PEM certificates of who signs those of API servers"

Stamp = tuple[tuple[int, int, int], ...]  # of each file: inode, bytes, modification in ns


class BadPair(Exception):  # noqa: N818 - a state of two files
    """Certificate and key cannot be served. The message says which file and why."""


class LoadedPair(Struct, frozen=True):
    """A good pair: its context and the end of its leaf, in Unix seconds."""

    context: ssl.SSLContext
    not_after: float
    stamp: Stamp


class ServingCertificate:
    """The pair that is served now, and the context that hands it to new handshakes.

    `log` gets `certificate_loaded` (not_after) and, once for each distinct problem,
    `certificate_refused` (problem). Open connections keep what they were opened with. Certificates
    of clients must be signed by one of `client_ca`, if there is such a file; none need have one.
    """

    def __init__(self, cert: Path, key: Path, log: Logger, client_ca: Path | None = None) -> None:
        self.cert, self.key, self._log = cert, key, log
        self._files = (cert, key, *((client_ca,) if client_ca else ()))
        self._pair: LoadedPair | None = None
        self._looked = float("-inf")
        self.problem: str | None = None
        self.front = server_context()
        self.front.verify_mode = ssl.CERT_OPTIONAL if client_ca else ssl.CERT_NONE
        # Called for each handshake, with a server name or without one.
        self.front.sni_callback = self._use_current

    @property
    def loaded(self) -> bool:
        """Whether there is a pair to serve."""
        return self._pair is not None

    @property
    def not_after(self) -> float:
        """Return the end of the served leaf in Unix seconds, 0 before the first load."""
        return self._pair.not_after if self._pair else 0.0

    def load(self) -> None:
        """Load the pair at start, or raise BadPair as there is nothing else to serve."""
        self._serve(read_pair(*self._files))

    def refresh(self, now: float) -> None:
        """Take a changed pair if it is good, else keep the last good one.

        It never raises.

        `now` in Unix seconds; the files are looked at once a second at most, and a bad pair
        again each time, since a half-written one may be completed within a tick of the file clock.
        """
        if 0 <= now - self._looked < 1:
            return
        self._looked = now
        try:
            if self._pair is None or stamp(*self._files) != self._pair.stamp:
                pair = read_pair(*self._files)
                if pair.not_after <= now:  # which may be wrong
                    refuse_older(pair, self.not_after, self.cert)
                self._serve(pair)
            self.problem = None
        except BadPair as bad:
            if str(bad) != self.problem:
                self.problem = str(bad)
                self._log("certificate_refused", problem=self.problem)

    def _serve(self, pair: LoadedPair) -> None:
        self._pair, self.problem = pair, None
        self._log("certificate_loaded", not_after=when(pair.not_after))

    def _use_current(self, handshake: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        if self._pair:
            handshake.context = self._pair.context


def server_context() -> ssl.SSLContext:
    """Make a context without a certificate: TLS 1.2 or later, HTTP/1.1, no session tickets.

    The API server resumes no sessions, and a resumed one would outlive its certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    return context


def read_pair(cert: Path, key: Path, *client_ca: Path) -> LoadedPair:
    """Read the files into a context of their own: a bad pair spoils nothing.

    Raises BadPair.
    """
    before = stamp(cert, key, *client_ca)
    leaf, public = read_leaf(cert), read_public_key(key)
    if leaf.public_key() != public:
        raise BadPair(f"{key} is not the key of {cert}; {EXPECTED}")
    context = server_context()
    try:
        context.load_cert_chain(cert, key, password="")  # or a terminal would be asked for one
    except (OSError, ValueError) as error:
        raise BadPair(f"{cert} and {key} cannot be served: {error}; {EXPECTED}") from error
    for each in client_ca:
        trust_clients(context, each)
    if stamp(cert, key, *client_ca) != before:
        raise BadPair(f"{cert} and {key} changed while they were read")
    return LoadedPair(context, leaf.not_valid_after_utc.timestamp(), before)


def trust_clients(context: ssl.SSLContext, client_ca: Path) -> None:
    """Have certificates of clients verified, or raise BadPair."""
    try:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ValueError) as error:
        raise BadPair(f"{client_ca} holds no certificate: {error}; {EXPECTED_CA}") from error


def names_of(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the common names and the alternative names of a client's verified certificate."""
    found = certificate or {}
    subject = (pair for each in found.get("subject", ()) for pair in each)
    common = (value for key, value in subject if key == "commonName")
    return frozenset((*common, *(value for _, value in found.get("subjectAltName", ()))))


def read_leaf(cert: Path) -> x509.Certificate:
    """Read the first certificate of a file, or raise BadPair."""
    try:
        return x509.load_pem_x509_certificate(cert.read_bytes())
    except OSError as error:
        raise BadPair(f"{cert} cannot be read: {error.strerror}; {EXPECTED}") from error
    except ValueError as error:
        raise BadPair(f"{cert} holds no PEM certificate; {EXPECTED}") from error


def read_public_key(key: Path) -> object:
    """Read a private key's public half, or raise BadPair."""
    try:
        return serialization.load_pem_private_key(key.read_bytes(), password=None).public_key()
    except OSError as error:
        raise BadPair(f"{key} cannot be read: {error.strerror}; {EXPECTED}") from error
    except TypeError as error:
        raise BadPair(f"{key} is encrypted; {EXPECTED}") from error
    except ValueError as error:
        raise BadPair(f"{key} holds no PEM private key; {EXPECTED}") from error


def refuse_older(pair: LoadedPair, served: float, cert: Path) -> None:
    """Raise BadPair for a leaf that ended before the served one."""
    if pair.not_after < served:
        raise BadPair(f"{cert} ended at {when(pair.not_after)}; expected: a later end")


def stamp(*files: Path) -> Stamp:
    """Return what differs between two states of the files, through links."""
    try:
        stats = [path.stat() for path in files]
    except OSError as error:
        raise BadPair(f"{error.filename} cannot be read: {error.strerror}; {EXPECTED}") from error
    return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in stats)


def when(seconds: float) -> str:
    """Write Unix seconds as people read them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
