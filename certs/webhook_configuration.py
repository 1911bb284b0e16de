"""Webhook configurations: what is read of one, and the patches for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from certs import names, secrets
from certs.reasons import CertReason, Problem
from certs.secrets import Json

FailurePolicy = Literal["Fail", "Ignore"]
Operation = dict[str, object]  # of a JSON Patch

DEFAULT_POLICY: Final = "Fail"  # what the API server takes for an entry that names none


@dataclass(frozen=True, slots=True)
class ServiceName:
    """The Service of the webhook, by which its entries are known."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class WebhookEntry:
    """One webhook of a configuration that calls our Service.

    `wanted` is the failurePolicy that the administrator configured, None if left to others.
    """

    index: int
    name: str
    bundle: bytes
    policy: str
    wanted: FailurePolicy | None


@dataclass(frozen=True, slots=True)
class WebhookConfiguration:
    """A configuration: its path, the version that was read, and our webhooks in it."""

    path: str
    version: str
    entries: tuple[WebhookEntry, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def kind(self) -> str:
        """The path of all configurations of this kind."""
        return self.path.rpartition("/")[0]

    @property
    def due(self) -> tuple[WebhookEntry, ...]:
        """The webhooks whose failurePolicy is not the configured one."""
        return tuple(entry for entry in self.entries if entry.wanted not in (None, entry.policy))


def read_configuration(path: str, found: Json, service: ServiceName) -> WebhookConfiguration:
    """Return what concerns our Service in a configuration."""
    metadata = found["metadata"]
    wanted, problems = _wanted_policies(path, metadata.get("annotations") or {})
    ours = {"namespace": service.namespace, "name": service.name}
    entries = tuple(
        WebhookEntry(
            index=index,
            name=entry["name"],
            bundle=secrets.decode_base64(entry["clientConfig"].get("caBundle")),
            policy=entry.get("failurePolicy", DEFAULT_POLICY),
            wanted=wanted.get(entry["name"]),
        )
        for index, entry in enumerate(found.get("webhooks") or ())
        if ours.items() <= (entry["clientConfig"].get("service") or {}).items()
    )
    if not entries:
        detail = f"{service.namespace}/{service.name}"
        problems = (*problems, Problem(CertReason.NO_ENTRY, path, detail))
    return WebhookConfiguration(path, metadata["resourceVersion"], entries, problems)


def bundle_patch(configuration: WebhookConfiguration, bundle: bytes) -> list[Operation]:
    """Return the operations that give each of our webhooks the caBundle."""
    text = secrets.encode_base64(bundle)
    values = {
        f"/webhooks/{entry.index}/clientConfig/caBundle": text
        for entry in configuration.entries
        if entry.bundle != bundle
    }
    return _patch(configuration, values)


def policy_patch(
    configuration: WebhookConfiguration, entries: tuple[WebhookEntry, ...]
) -> list[Operation]:
    """Return the operations that give entries their configured failurePolicy."""
    values = {f"/webhooks/{entry.index}/failurePolicy": entry.wanted for entry in entries}
    return _patch(configuration, values)


def _patch(configuration: WebhookConfiguration, values: Mapping[str, object]) -> list[Operation]:
    # An index means the same webhook only in the version that was read: any other is a 409.
    version = {"/metadata/resourceVersion": configuration.version}
    changes = {**version, **values} if values else {}
    return [{"op": "add", "path": path, "value": value} for path, value in changes.items()]


def _wanted_policies(
    path: str, annotations: Mapping[str, str]
) -> tuple[dict[str, FailurePolicy], tuple[Problem, ...]]:
    text = annotations.get(names.FAILURE_POLICIES)
    if not text:
        return {}, ()
    try:
        return msgspec.json.decode(text, type=dict[str, FailurePolicy]), ()
    except msgspec.MsgspecError as error:
        return {}, (Problem(CertReason.BAD_ANNOTATION, path, str(error)),)
