"""An admission request as the decision reads it."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from webhook.core.api.pod import Pod


class Mode(StrEnum):
    """Whether a namespace's decisions take effect."""

    ENFORCE = "enforce"
    AUDIT = "audit"


class Side(StrEnum):
    """Which of the two admission phases asks."""

    MUTATE = "mutate"
    VALIDATE = "validate"


class AdmissionRequest(Struct, frozen=True):
    """One admission request, decoded. `pod` is None where the object is not a Pod.

    `namespace_labels` are the namespace's own. `mode` is as the API server's selector saw it.
    `too_large` says that the pods were not decoded, but for their metadata.
    """

    side: Side
    mode: Mode
    uid: str
    operation: str
    namespace: str
    name: str = ""
    user: str = ""
    subresource: str = ""
    dry_run: bool = False
    pod: Pod | None = None
    old_pod: Pod | None = None
    namespace_labels: Mapping[str, str] = {}
    too_large: bool = False
