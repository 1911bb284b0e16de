"""The two Secrets as JSON objects and back. A damaged one is read as empty."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certs import names, pki
from certs.authority import Authority, Served
from certs.pki import KeyPair

Json = dict[str, Any]


def read_authority(secret: Json | None) -> Authority:
    """Return what the authority Secret holds.

    Whatever is missing or damaged is empty.
    """
    if secret is None:
        return Authority()
    data = _read_data(secret)
    ca = pki.read_cert(data.get(names.CA_CERT, b""))
    bundle = pki.read_certs(data.get(names.TRUSTED_CERTS, b""))
    return Authority(
        ca=KeyPair(data.get(names.CA_CERT, b""), data.get(names.CA_KEY, b"")),
        leaf=KeyPair(data.get(names.LEAF_CERT, b""), data.get(names.LEAF_KEY, b"")),
        old=tuple(cert for cert in bundle if cert != ca),
        since=_read_moment(_annotations(secret).get(names.HELD_SINCE)),
        intact=ca in bundle,
    )


def read_served(secret: Json | None) -> Served:
    """Return what the server mounts, empty where there is nothing."""
    if secret is None:
        return Served()
    data = _read_data(secret)
    leaf = KeyPair(data.get(names.LEAF_CERT, b""), data.get(names.LEAF_KEY, b""))
    return Served(leaf, data.get(names.CA_CERT, b""))


def authority_secret(name: str, authority: Authority) -> Json:
    """Return the Secret that holds an authority. Its phase is for people, nobody reads it."""
    data = {
        names.CA_CERT: authority.ca.cert,
        names.CA_KEY: authority.ca.key,
        names.LEAF_CERT: authority.leaf.cert,
        names.LEAF_KEY: authority.leaf.key,
        names.TRUSTED_CERTS: authority.to_serve.bundle,  # with the CA: never empty
    }
    since = authority.since.isoformat() if authority.since else ""
    annotations = {names.PHASE: authority.phase.value, names.HELD_SINCE: since}
    return _new_secret({"name": name, "annotations": annotations}, names.OPAQUE, data)


def serving_secret(name: str, served: Served) -> Json:
    """Return the Secret that the server mounts."""
    data = {
        names.LEAF_CERT: served.leaf.cert,
        names.LEAF_KEY: served.leaf.key,
        names.CA_CERT: served.bundle,
    }
    return _new_secret({"name": name}, names.TLS, data)


def with_content_of(present: Json, wanted: Json) -> Json:
    """Return a present Secret with new content. Its version and what others set stay."""
    annotations = {**_annotations(present), **_annotations(wanted)}
    metadata = {**present["metadata"], "annotations": annotations}
    return {**present, "metadata": metadata, "data": wanted["data"]}


def decode_base64(text: object) -> bytes:
    """Return the bytes that base64 stands for, empty for anything else."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error:
        return b""


def encode_base64(data: bytes) -> str:
    """Return base64 in one line."""
    return base64.b64encode(data).decode()


def _new_secret(metadata: Json, kind: str, data: Mapping[str, bytes]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": kind,
        "metadata": {**metadata, "labels": dict(names.MANAGED_BY)},
        "data": {key: encode_base64(value) for key, value in data.items()},
    }


def _read_data(secret: Json) -> dict[str, bytes]:
    return {key: decode_base64(value) for key, value in (secret.get("data") or {}).items()}


def _annotations(secret: Json) -> dict[str, str]:
    found: dict[str, str] = secret["metadata"].get("annotations") or {}
    return found


def _read_moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
