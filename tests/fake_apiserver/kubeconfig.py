"""A kubeconfig for a fake API server, and a certificate for one that speaks TLS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "secret"  # noqa: S105 - of a fake server


@dataclass(frozen=True, slots=True)
class PemPair:
    """A certificate and its key."""

    cert: bytes
    key: bytes


def write_kubeconfig(
    folder: Path, url: str, namespace: str = "default", ca: bytes | None = None
) -> Path:
    """Write a kubeconfig whose context names a namespace; return its path."""
    path, cluster = folder / "kubeconfig", {"server": url}
    if ca is not None:
        (folder / "ca.crt").write_bytes(ca)
        cluster["certificate-authority"] = str(folder / "ca.crt")
    context = {"cluster": "fake", "user": "jane", "namespace": namespace}
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": cluster}],
        "users": [{"name": "jane", "user": {"token": TOKEN}}],
        "contexts": [{"name": "fake", "context": context}],
    }
    path.write_text(yaml.safe_dump(whole))
    return path


def issue_pair(address: str) -> PemPair:
    """Return a self-signed certificate for an address, good for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake API server")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return PemPair(
        cert.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
