"""Answers that are kept for equal reviews, as those of one controller's pods are."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from webhook.core.api.pod import Metadata, Pod
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict
from webhook.server.admission import decode
from webhook.server.admission.decode import Pods, ReviewRequest, Route

MOST_ENTRIES: Final = 512
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of questions and answers together."""
MOST_OBJECT: Final = 64 * 1024
MOST_ANSWER: Final = 16 * 1024
"""Bytes of a pod, and of all that is told of it; real ones are smaller."""
OF_ONE_POD: Final = (
    *("controller-uid", "batch.kubernetes.io/controller-uid"),
    *("job-name", "batch.kubernetes.io/job-name", "batch.kubernetes.io/job-completion-index"),
    *("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"),
)
"""Labels of Kubernetes that differ between equal pods, unless the policy reads them."""
_TOKEN: Final = b"kube-api-access-"
"""The API server names the volume of a pod's token by this and five random letters."""
_NAME: Final = b'"name":"'
_EQUAL: Final = b"....."  # which no volume's name has

Key = tuple[object, ...]


class _TwoParts(Struct, frozen=True):
    metadata: Metadata | None = None
    spec: msgspec.Raw = msgspec.Raw(b"null")


_OUTLINE: Final = msgspec.json.Decoder(_TwoParts)
_ENCODER: Final = msgspec.json.Encoder()


class Likeness(Struct, frozen=True):
    """The key of a review's answer, and the metadata of its pod."""

    key: Key
    size: int
    token: bytes
    metadata: Metadata | None

    @property
    def pods(self) -> Pods:
        """The pod as far as the log and events read it."""
        return Pods(Pod(self.metadata))


class KeptAnswer(Struct, frozen=True):
    """A verdict, and its answer after the uid."""

    verdict: Verdict
    rest: bytes
    size: int


def likeness_of(
    asked: ReviewRequest, route: Route, labels: Mapping[str, str], policy: Policy
) -> Likeness | None:
    """Return what a CREATE asks for, None where its answer is not kept.

    It has all that `admit` reads of the request, its pod and namespace. Names of pods and of
    their token's volume are none of that.
    """
    created = decode.is_pod(asked) and asked.operation == "CREATE" and not asked.sub_resource
    if not created or len(asked.object) > MOST_OBJECT or len(asked.old_object) > len(b"null"):
        return None
    if asked.user_info.username in policy.exempt_users:
        return None
    try:
        outline = _OUTLINE.decode(asked.object)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None  # decoding it whole says what is wrong
    spec, token = _without_token(bytes(outline.spec))
    metadata = _read_of(outline.metadata, policy)
    read = (route.side, route.mode, asked.dry_run, *labels.items())
    return Likeness((spec, metadata, read), len(spec) + len(metadata), token, outline.metadata)


def _read_of(metadata: Metadata | None, policy: Policy) -> bytes:
    """The labels and annotations, without what differs between equal pods."""
    if metadata is None:
        return b""
    labels = metadata.labels
    own = [key for key in OF_ONE_POD if labels and key in labels]
    if labels and own and not {each.label for each in policy.well_known_labels}.intersection(own):
        labels = labels | dict.fromkeys(own, "")
    return _ENCODER.encode((labels, metadata.annotations))


def _without_token(spec: bytes) -> tuple[bytes, bytes]:
    """A spec without the name of its token's volume, and that name."""
    start = spec.find(_TOKEN)
    if start < 0:
        return spec, b""
    token = spec[start : start + len(_TOKEN) + len(_EQUAL)]
    named = _NAME + token + b'"'
    if not token[len(_TOKEN) :].isalnum() or spec.count(named) != spec.count(_TOKEN):
        return spec, b""
    return spec.replace(named, _NAME + _TOKEN + _EQUAL + b'"'), token


class AnswerMemo:
    """The answers of one snapshot of policy and inventory, the longest unused first."""

    def __init__(self) -> None:
        self._policy: Policy | None = None
        self._inventory: Inventory | None = None
        self._kept: dict[Key, KeptAnswer] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Key, policy: Policy, inventory: Inventory) -> KeptAnswer | None:
        """Return the answer that is kept for this snapshot, and drop those of others."""
        if policy is not self._policy or inventory is not self._inventory:
            self._policy, self._inventory = policy, inventory
            self._kept.clear()
            self.size = 0
        found = self._kept.pop(key, None)
        if found is not None:
            self._kept[key] = found
        return found

    def keep(self, asked: Likeness, verdict: Verdict, rest: bytes) -> None:
        """Keep an answer, unless it is large or names the token."""
        told = rest + _ENCODER.encode((verdict.record, verdict.patch))
        if len(told) > MOST_ANSWER or (asked.token and asked.token in told):
            return
        size = asked.size + len(told)
        self._kept[asked.key] = KeptAnswer(verdict, rest, size)
        self.size += size
        while len(self._kept) > MOST_ENTRIES or self.size > MOST_BYTES:
            self.size -= self._kept.pop(next(iter(self._kept))).size
