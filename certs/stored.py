"""The two Secrets as JSON objects and back; decides nothing and never fails on a damaged one."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from certs import names, pki
from certs.client import Json
from certs.pki import Pair
from certs.state import Served, State, phase, trusted


def read_state(authority: Json | None) -> State:
    """Read the authority; whatever is missing or damaged becomes empty, to be judged."""
    if authority is None:
        return State()
    data = _data(authority)
    ca = pki.read_cert(data.get(names.CA_CERT, b""))
    bundle = pki.read_certs(data.get(names.TRUSTED_CERTS, b""))
    return State(
        ca=Pair(data.get(names.CA_CERT, b""), data.get(names.CA_KEY, b"")),
        leaf=Pair(data.get(names.LEAF_CERT, b""), data.get(names.LEAF_KEY, b"")),
        old=tuple(cert for cert in bundle if cert != ca),
        since=_moment(_annotations(authority).get(names.HELD_SINCE)),
        intact=ca in bundle,
    )


def write_state(state: State) -> Json:
    """Write the authority's data and annotations; the phase is for people, nobody reads it."""
    data = {
        names.CA_CERT: state.ca.cert,
        names.CA_KEY: state.ca.key,
        names.LEAF_CERT: state.leaf.cert,
        names.LEAF_KEY: state.leaf.key,
        names.TRUSTED_CERTS: pki.write_certs(trusted(state)),  # with the CA: never empty
    }
    annotations = {
        names.PHASE: phase(state).value,
        names.HELD_SINCE: state.since.isoformat() if state.since else "",
    }
    return {"metadata": {"annotations": annotations}, "data": _encoded(data)}


def read_served(serving: Json | None) -> Served:
    """Read what the server mounts; empty where there is nothing."""
    if serving is None:
        return Served()
    data = _data(serving)
    leaf = Pair(data.get(names.LEAF_CERT, b""), data.get(names.LEAF_KEY, b""))
    return Served(leaf, data.get(names.CA_CERT, b""))


def write_served(served: Served) -> Json:
    """Write what the server mounts."""
    data = {
        names.LEAF_CERT: served.leaf.cert,
        names.LEAF_KEY: served.leaf.key,
        names.CA_CERT: served.bundle,
    }
    return {"metadata": {}, "data": _encoded(data)}


def fresh(name: str, kind: str, content: Json) -> Json:
    """A Secret that is to be created."""
    metadata = {"name": name, "labels": dict(names.MANAGED_BY), **content["metadata"]}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": kind}
    return {**secret, "metadata": metadata, "data": content["data"]}


def renewed(present: Json, content: Json) -> Json:
    """A present Secret with new content: its resourceVersion and what others set stay."""
    metadata = dict(present["metadata"])
    annotations = content["metadata"].get("annotations", {})
    metadata["annotations"] = {**_annotations(present), **annotations}
    return {**present, "metadata": metadata, "data": content["data"]}


def decoded(text: object) -> bytes:
    """Read base64; empty for anything else."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error:
        return b""


def encoded(data: bytes) -> str:
    """Write base64 in one line."""
    return base64.b64encode(data).decode()


def _data(secret: Json) -> dict[str, bytes]:
    return {key: decoded(value) for key, value in (secret.get("data") or {}).items()}


def _encoded(data: Mapping[str, bytes]) -> dict[str, str]:
    return {key: encoded(value) for key, value in data.items()}


def _annotations(secret: Json) -> dict[str, str]:
    found: dict[str, str] = secret["metadata"].get("annotations") or {}
    return found


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
