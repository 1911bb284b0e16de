"""Answers that are kept for equal reviews, as those of one controller's pods are."""

from typing import Final

import msgspec
from msgspec import Struct

from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest
from webhook.core.canonical import canonical
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict
from webhook.server.admission import encode

MOST_ENTRIES: Final = 512
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of questions and answers together."""
MOST_QUESTION: Final = 64 * 1024
MOST_ANSWER: Final = 16 * 1024
"""Bytes of what is asked of a pod, and of all that is told of it; real ones are smaller."""
_ENCODER: Final = msgspec.json.Encoder()


class KeptAnswer(Struct, frozen=True):
    """A verdict, and its answer after the uid."""

    verdict: Verdict
    rest: bytes


class AnswerMemo:
    """The answers of one snapshot of policy and inventory, the longest unused first."""

    def __init__(self) -> None:
        self._policy: Policy | None = None
        self._inventory: Inventory | None = None
        self._kept: dict[bytes, tuple[KeptAnswer, int]] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def answer(
        self, request: AdmissionRequest, policy: Policy, inventory: Inventory, page: str
    ) -> KeptAnswer:
        """Return the answer that is kept for an equal request, or decide.

        What is decided is what equal requests have in common, so that they differ in nothing.
        """
        if policy is not self._policy or inventory is not self._inventory:
            self._policy, self._inventory = policy, inventory
            self._kept.clear()
            self.size = 0
        asked = canonical(request, policy)
        key = _key(asked)
        found = self._kept.pop(key, None) if key else None
        if found is None:
            verdict = admit(asked, policy, inventory)
            answer = KeptAnswer(verdict, encode.encode_rest(asked, verdict, page))
            return self._keep(key, answer) if key else answer
        self._kept[key] = found
        return found[0]

    def _keep(self, key: bytes, answer: KeptAnswer) -> KeptAnswer:
        verdict = answer.verdict
        told = len(answer.rest) + len(_ENCODER.encode((verdict.record, verdict.patch)))
        if told <= MOST_ANSWER:
            self._kept[key] = answer, len(key) + told
            self.size += len(key) + told
        while len(self._kept) > MOST_ENTRIES or self.size > MOST_BYTES:
            self.size -= self._kept.pop(next(iter(self._kept)))[1]
        return answer


def _key(asked: AdmissionRequest) -> bytes:
    """What is asked as bytes, none where its answer is not kept."""
    if asked.old_pod is not None:
        return b""
    try:
        key = _ENCODER.encode(asked)
    except RecursionError:  # a level deeper than it was decoded
        return b""
    return key if len(key) <= MOST_QUESTION else b""
