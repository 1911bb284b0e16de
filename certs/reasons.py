"""The reasons to act or to complain: a code for machines, a sentence for people."""

from dataclasses import dataclass
from enum import Enum, unique


@unique
class CertReason(Enum):
    """Why something was changed, or could not be. The value is the sentence."""

    CA_MISSING = "There is no CA."
    CA_UNREADABLE = "The CA is no PEM certificate."
    CA_KEY_MISMATCH = "The CA's private key is missing, unreadable or another one's."
    CA_NOT_A_CA = "The certificate may not sign others."
    CA_NOT_YET_VALID = "The CA begins in the future."
    CA_EXPIRED = "The CA is expired."
    CA_AGED = "The CA is past two thirds of its life."

    LEAF_MISSING = "There is no serving certificate."
    LEAF_UNREADABLE = "The serving certificate is no PEM certificate."
    LEAF_KEY_MISMATCH = "The serving key is missing, unreadable or another one's."
    LEAF_WRONG_NAMES = "The serving certificate lacks a name of the Service."
    LEAF_NOT_FOR_SERVERS = "The serving certificate is not for servers."
    LEAF_NOT_SIGNED = "No trusted CA signed the serving certificate."
    LEAF_NOT_YET_VALID = "The serving certificate begins in the future."
    LEAF_EXPIRED = "The serving certificate is expired."
    LEAF_AGED = "The serving certificate is past two thirds of its life."

    AUTHORITY_DAMAGED = "The list of trusted CAs is damaged; those in use stay trusted."
    UNKNOWN_CA_TRUSTED = "An unknown CA signed what is served; the CAs in use are trusted too."
    WAIT_STARTED = "Everything is in place; the wait of this phase begins."
    WAIT_RESTARTED = "Something was not in place any more; the wait begins again."
    CA_SPREAD = "Every configuration has held the new CA long enough for it to sign."
    CA_NOT_SPREAD = "A caBundle lacks the CA whose leaf was to be served; it is spread anew."
    LEAF_SETTLED = "Every replica has had time to serve the new leaf; old CAs are dropped."

    BUNDLE_DIFFERS = "The caBundle is not the one to be held."
    SECRET_MISSING = "The Secret is not there."  # noqa: S105 - a reason, no password
    SECRET_DIFFERS = "The Secret is not what the authority says."  # noqa: S105 - the same
    BUNDLE_NOT_HELD = "The leaf is held back until every caBundle was seen with its CA."
    RACED = "Another writer was faster; its result is read and judged anew."
    API_FAILED = "The API server did not do what was asked."
    UNFORESEEN = "An error came that nothing expects; the next interval tries again."

    CONFIGURATION_MISSING = "The webhook configuration is not there; nothing calls by it."
    CONFIGURATION_FAILED = "The webhook configuration could not be read or patched."
    NO_ENTRY = "No webhook of the configuration calls our Service."
    BAD_ANNOTATION = "The failure-policies annotation is no map of names to Fail or Ignore."

    IGNORE_CONFIGURED = "Ignore is configured; that needs no proof."
    REFUSAL_PROVEN = "The webhook really refused a pod that must be refused."
    NO_PROBE_NAMESPACE = "No probe namespace is set; failurePolicy stays Ignore."
    PROBE_NOT_REFUSED = "A pod that must be refused was let through."
    PROBE_REFUSED_BY_OTHER = "The probe pods were refused, but never by this webhook."
    PROBE_FAILED = "The dry run of the probe pod got no verdict of the webhook."

    @property
    def code(self) -> str:
        """The reason for machines: its name in lower case."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the next reconciliation may mend.

    `subject` is what has it.
    """

    reason: CertReason
    subject: str
    detail: str = ""
