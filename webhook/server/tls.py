"""The serving certificate: loads a pair, and replaces it when its files change."""

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from webhook.server.reload import Logger

EXPECTED = "expected: a PEM certificate (leaf first) and its unencrypted PEM private key"
EXPECTED_CA = "expected: PEM certificates of who signs those of API servers"

_CERTIFICATE: Final = re.compile(r"-----BEGIN (CERTIFICATE)-----.+?-----END \1-----", re.DOTALL)
_KEY: Final = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_VALIDITY: Final = re.compile(
    rb"\x30[\x1e\x20\x22](?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d|\x18\x0f(\d\d))(\d{12})Z"
)
"""A sequence of two times as DER has it, of which the second is the end (RFC 5280, 4.1.2.5).

The package cryptography reads it too, for a tenth of the start.
"""

_NOT_ITS_KEY: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of two good files that do not belong together; the last of EC and RSA."""

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
    not_after = read_end(cert)
    refuse_unreadable(key)
    context = server_context()
    try:
        context.load_cert_chain(cert, key, password="")  # or a terminal would be asked for one
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) in _NOT_ITS_KEY:
            raise BadPair(f"{key} is not the key of {cert}; {EXPECTED}") from error
        raise BadPair(f"{cert} and {key} cannot be served: {error}; {EXPECTED}") from error
    for each in client_ca:
        trust_clients(context, each)
    if stamp(cert, key, *client_ca) != before:
        raise BadPair(f"{cert} and {key} changed while they were read")
    return LoadedPair(context, not_after, before)


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


def read_end(cert: Path) -> float:
    """Return the end of a file's first certificate in Unix seconds, or raise BadPair."""
    found = _CERTIFICATE.search(_read_text(cert))
    try:
        times = _VALIDITY.search(ssl.PEM_cert_to_DER_cert(found[0])) if found else None
    except ValueError:  # not base64
        times = None
    if times is None:
        raise BadPair(f"{cert} holds no PEM certificate; {EXPECTED}")
    text = ((times[1] or b"20") + times[2]).decode()
    return datetime.fromisoformat(f"{text[:8]}T{text[8:]}+00:00").timestamp()


def refuse_unreadable(key: Path) -> None:
    """Raise BadPair for a file without a private key that needs no password."""
    found = _KEY.search(_read_text(key))
    if found is None:
        raise BadPair(f"{key} holds no PEM private key; {EXPECTED}")
    if "ENCRYPTED" in found[0]:
        raise BadPair(f"{key} is encrypted; {EXPECTED}")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="latin-1")
    except OSError as error:
        raise BadPair(f"{path} cannot be read: {error.strerror}; {EXPECTED}") from error


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
