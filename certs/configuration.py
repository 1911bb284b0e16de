"""Webhook configurations: what we read of one, and the patches that we make; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from certs import names, stored
from certs.client import Json
from certs.reasons import Problem, Reason

Policy = Literal["Fail", "Ignore"]
Operation = dict[str, object]  # of a JSON Patch

DEFAULT_POLICY: Final = "Fail"  # what the API server takes for an entry that names none


@dataclass(frozen=True, slots=True)
class Entry:
    """One webhook of a configuration that calls our Service.

    `wanted` is the failurePolicy that the administrator configured; None if left to others.
    """

    index: int
    name: str
    bundle: bytes
    policy: str
    wanted: Policy | None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A webhook configuration: where it is, the version that was read, and what is ours in it."""

    path: str
    version: str
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()


def read(path: str, found: Json, service: tuple[str, str]) -> Configuration:
    """Read a configuration; `service` is (namespace, name)."""
    metadata = found["metadata"]
    wanted, problems = _wanted(path, (metadata.get("annotations") or {}))
    entries = tuple(
        Entry(
            index=index,
            name=entry["name"],
            bundle=stored.decoded(entry["clientConfig"].get("caBundle")),
            policy=entry.get("failurePolicy", DEFAULT_POLICY),
            wanted=wanted.get(entry["name"]),
        )
        for index, entry in enumerate(found.get("webhooks") or ())
        if _service(entry) == service
    )
    if not entries:
        problems = (*problems, Problem(Reason.NO_ENTRY, path, "/".join(service)))
    return Configuration(path, metadata["resourceVersion"], entries, problems)


def bundle_patch(configuration: Configuration, bundle: bytes) -> list[Operation]:
    """The operations that give every webhook of ours a caBundle; empty if all have it."""
    return _patch(
        configuration,
        {
            f"/webhooks/{entry.index}/clientConfig/caBundle": stored.encoded(bundle)
            for entry in configuration.entries
            if entry.bundle != bundle
        },
    )


def policy_patch(configuration: Configuration, entries: tuple[Entry, ...]) -> list[Operation]:
    """The operations that give entries their configured failurePolicy; empty for none."""
    values = {f"/webhooks/{entry.index}/failurePolicy": entry.wanted for entry in entries}
    return _patch(configuration, values)


def due(configuration: Configuration) -> tuple[Entry, ...]:
    """The webhooks whose failurePolicy is not the configured one."""
    entries = configuration.entries
    return tuple(entry for entry in entries if entry.wanted not in (None, entry.policy))


def _patch(configuration: Configuration, values: Mapping[str, object]) -> list[Operation]:
    # An index means the same webhook only in the version that was read: any other is a 409.
    version = {"/metadata/resourceVersion": configuration.version}
    changes = {**version, **values} if values else {}
    return [{"op": "add", "path": path, "value": value} for path, value in changes.items()]


def _service(entry: Json) -> tuple[str, str] | None:
    service = entry["clientConfig"].get("service")
    return (service["namespace"], service["name"]) if service else None


def _wanted(
    path: str, annotations: Mapping[str, str]
) -> tuple[dict[str, Policy], tuple[Problem, ...]]:
    text = annotations.get(names.FAILURE_POLICIES)
    if not text:
        return {}, ()
    try:
        return msgspec.json.decode(text, type=dict[str, Policy]), ()
    except msgspec.MsgspecError as error:
        return {}, (Problem(Reason.BAD_ANNOTATION, path, str(error)),)
