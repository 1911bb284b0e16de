"""The closed set of reasons to act or to complain: a code for machines, a sentence for people."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why the keeper changed something, or could not."""

    CA_MISSING = "ca_missing"
    CA_UNREADABLE = "ca_unreadable"
    CA_KEY_MISMATCH = "ca_key_mismatch"
    CA_NOT_A_CA = "ca_not_a_ca"
    CA_NOT_YET_VALID = "ca_not_yet_valid"
    CA_EXPIRED = "ca_expired"
    CA_AGED = "ca_aged"

    LEAF_MISSING = "leaf_missing"
    LEAF_UNREADABLE = "leaf_unreadable"
    LEAF_KEY_MISMATCH = "leaf_key_mismatch"
    LEAF_WRONG_NAMES = "leaf_wrong_names"
    LEAF_NOT_FOR_SERVERS = "leaf_not_for_servers"
    LEAF_NOT_SIGNED = "leaf_not_signed"
    LEAF_NOT_YET_VALID = "leaf_not_yet_valid"
    LEAF_EXPIRED = "leaf_expired"
    LEAF_AGED = "leaf_aged"

    AUTHORITY_DAMAGED = "authority_damaged"
    STRANGERS_IN_FORCE = "strangers_in_force"
    WAIT_STARTED = "wait_started"
    WAIT_RESTARTED = "wait_restarted"
    CA_SPREAD = "ca_spread"
    CA_NOT_SPREAD = "ca_not_spread"
    LEAF_SETTLED = "leaf_settled"

    BUNDLE_DIFFERS = "bundle_differs"
    SECRET_MISSING = "secret_missing"  # noqa: S105 - a reason, no password
    SECRET_DIFFERS = "secret_differs"  # noqa: S105 - a reason, no password
    BUNDLE_NOT_HELD = "bundle_not_held"
    RACED = "raced"
    API_FAILED = "api_failed"
    UNFORESEEN = "unforeseen"

    CONFIGURATION_MISSING = "configuration_missing"
    CONFIGURATION_FAILED = "configuration_failed"
    NO_ENTRY = "no_entry"
    BAD_ANNOTATION = "bad_annotation"

    IGNORE_CONFIGURED = "ignore_configured"
    REFUSAL_PROVEN = "refusal_proven"
    NO_PROBE_NAMESPACE = "no_probe_namespace"
    PROBE_NOT_REFUSED = "probe_not_refused"
    PROBE_REFUSED_BY_OTHER = "probe_refused_by_other"
    PROBE_FAILED = "probe_failed"


SENTENCES: Final = {
    Reason.CA_MISSING: "There is no CA.",
    Reason.CA_UNREADABLE: "The CA is no PEM certificate.",
    Reason.CA_KEY_MISMATCH: "The CA's private key is missing, unreadable or another one's.",
    Reason.CA_NOT_A_CA: "The certificate may not sign others.",
    Reason.CA_NOT_YET_VALID: "The CA begins in the future.",
    Reason.CA_EXPIRED: "The CA has ended.",
    Reason.CA_AGED: "The CA is past two thirds of its life.",
    Reason.LEAF_MISSING: "There is no serving certificate.",
    Reason.LEAF_UNREADABLE: "The serving certificate is no PEM certificate.",
    Reason.LEAF_KEY_MISMATCH: "The serving key is missing, unreadable or another one's.",
    Reason.LEAF_WRONG_NAMES: "The serving certificate lacks a name of the Service.",
    Reason.LEAF_NOT_FOR_SERVERS: "The serving certificate is not for servers.",
    Reason.LEAF_NOT_SIGNED: "No trusted CA signed the serving certificate.",
    Reason.LEAF_NOT_YET_VALID: "The serving certificate begins in the future.",
    Reason.LEAF_EXPIRED: "The serving certificate has ended.",
    Reason.LEAF_AGED: "The serving certificate is past two thirds of its life.",
    Reason.AUTHORITY_DAMAGED: "The list of trusted CAs is damaged; those in force stay trusted.",
    Reason.STRANGERS_IN_FORCE: "What is served is of no CA that we know; those in force stay.",
    Reason.WAIT_STARTED: "Everything is in place; the wait of this phase begins.",
    Reason.WAIT_RESTARTED: "Something was not in place any more; the wait begins again.",
    Reason.CA_SPREAD: "Every configuration has held the new CA long enough for it to sign.",
    Reason.CA_NOT_SPREAD: "A caBundle lacks the CA whose leaf was to be served; it is spread anew.",
    Reason.LEAF_SETTLED: "Every replica has had time to serve the new leaf; old CAs are dropped.",
    Reason.BUNDLE_DIFFERS: "The caBundle is not the one to be held.",
    Reason.SECRET_MISSING: "The Secret is not there.",
    Reason.SECRET_DIFFERS: "The Secret is not what the authority says.",
    Reason.BUNDLE_NOT_HELD: "The leaf is held back until every caBundle was seen with its CA.",
    Reason.RACED: "Another writer was faster; its result is read and judged anew.",
    Reason.API_FAILED: "The API server did not do what was asked.",
    Reason.UNFORESEEN: "The keeper met an error that nothing in it expects; it looks again.",
    Reason.CONFIGURATION_MISSING: "The webhook configuration is not there; nothing calls by it.",
    Reason.CONFIGURATION_FAILED: "The webhook configuration could not be read or patched.",
    Reason.NO_ENTRY: "No webhook of the configuration calls our Service.",
    Reason.BAD_ANNOTATION: "The failure-policies annotation is no map of names to Fail or Ignore.",
    Reason.IGNORE_CONFIGURED: "Ignore is configured; that needs no proof.",
    Reason.REFUSAL_PROVEN: "The webhook really refused a pod that must be refused.",
    Reason.NO_PROBE_NAMESPACE: "No probe namespace is set; failurePolicy stays Ignore.",
    Reason.PROBE_NOT_REFUSED: "A pod that must be refused was let through.",
    Reason.PROBE_REFUSED_BY_OTHER: "The probe pods were refused, but never by this webhook.",
    Reason.PROBE_FAILED: "The dry run of the probe pod got no verdict.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the keeper cannot mend itself; `subject` is what has it."""

    reason: Reason
    subject: str
    detail: str = ""
