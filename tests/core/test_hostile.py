"""Reviews of pods of any size cost little: counted in calls and bytes, which no load changes.

A pattern's cost is in no call, so time is bounded too, at many times what an honest one takes.
"""

import contextlib
import cProfile
import json
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from typing import Any

import casefiles
import hostile_pods
import large_cluster
import msgspec
import pytest

from webhook.core.admit import admit
from webhook.core.api.admission import Mode, Side
from webhook.core.gpu.values import Inventory
from webhook.core.policy.load import parse_policy
from webhook.server.admission import advise, decode, encode
from webhook.server.admission.decode import Route

POLICY = parse_policy(casefiles.DEFAULT_POLICY, casefiles.DEFAULT_POLICY)
LABELS = {"gpu-sharing.io/mode": "enforce"}
MOST_CALLS = 200_000
"""Of Python functions. The most is 148,000, for 181 containers with a GPU: about 0.03 s."""
MOST_MEMORY = 48 * 1024 * 1024
"""Bytes, beside the 7 MiB of the body and of its copy."""
MOST_SECONDS = 1.0
"""Of CPU. The most is 0.2, while calls are counted; a pattern that reads a text again takes 100."""
MOST_ANSWER = 128 * 1024
"""Bytes of an answer, which the API server reads, applies and writes into its audit log."""
ETCD = 3 * 512 * 1024
"""Bytes of an object that is stored."""
LARGEST = dict(hostile_pods.largest())
FITTING = dict(hostile_pods.just_fitting())


@cache
def inventory() -> Inventory:
    """What many nodes offer."""
    return large_cluster.inventory(count=5000, kinds=40)


def body(text: str, kind: str = "Pod", old: str = "null") -> bytes:
    """The bytes of an AdmissionReview."""
    update = "UPDATE" if old != "null" else "CREATE"
    about = {"uid": "u", "operation": update, "kind": {"version": "v1", "kind": kind}}
    request = json.dumps(about | {"namespace": "n"})[:-1]
    whole = f'{request},"object":{text},"oldObject":{old}}}'
    head = '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":'
    return f"{head}{whole}}}".encode()


def reviewed(side: Side, sent: bytes) -> bytes:
    """The answer to a review of a pod."""
    asked = decode.decode_review(sent)
    route = Route(side, Mode.ENFORCE)
    request = decode.to_request(asked, route, LABELS, decode.decode_pods(asked))
    return encode.encode(request, admit(request, POLICY, inventory()))


def advised(sent: bytes) -> bytes:
    """The answer to a review of a Deployment."""
    asked = decode.decode_review(sent)
    context = advise.AdviceContext(POLICY, inventory(), "")
    return advise.answer_advice(asked, advise.read_subject(asked), LABELS, context).body


def calls_of(work: Callable[[], Any]) -> int:
    """The functions that it calls."""
    profile = cProfile.Profile(builtins=False)
    profile.runcall(work)
    return sum(each.callcount for each in profile.getstats())


def memory_of(work: Callable[[], Any]) -> int:
    """The most bytes that it holds at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def deployment(text: str) -> str:
    """A Deployment that makes such pods."""
    return f'{{"kind":"Deployment","apiVersion":"apps/v1","spec":{{"template":{text}}}}}'


def tried(sent: bytes, answer: Callable[[bytes], bytes]) -> None:
    """Assert what a review costs. One that cannot be read is refused as a bad review."""

    def work() -> None:
        with contextlib.suppress(decode.BadReview):
            answered = answer(sent)
            assert msgspec.json.decode(answered)
            assert len(answered) <= MOST_ANSWER

    inventory()  # read by the first test, and no part of what a review costs
    started = time.process_time()
    assert calls_of(work) <= MOST_CALLS
    assert time.process_time() - started <= MOST_SECONDS
    if len(sent) > ETCD:
        assert memory_of(work) <= MOST_MEMORY


@pytest.mark.parametrize("name", [*LARGEST, *FITTING])
def test_no_pod_costs_much(name: str) -> None:
    text = LARGEST[name]() if name in LARGEST else json.dumps(FITTING[name](), ensure_ascii=False)
    small = text if len(text) <= ETCD else "null"
    tried(body(text), lambda sent: reviewed(Side.MUTATE, sent))
    tried(body(text), lambda sent: reviewed(Side.VALIDATE, sent))
    tried(body(text, old=small), lambda sent: reviewed(Side.VALIDATE, sent))
    tried(body(deployment(text), "Deployment"), advised)


def test_a_pod_whose_spec_is_not_decoded_can_lose_a_finalizer_and_nothing_else() -> None:
    text = LARGEST["env"]()
    kept = text.replace('"name": "p"', '"name": "p", "finalizers": []')
    injected = text.replace('"metadata":{', '"metadata":{"annotations":{"cdi.k8s.io/a":"b"},', 1)
    changed = text.replace('"value":"all"', '"value":"non"', 1)
    for new, allowed in ((kept, True), (injected, False), (changed, False)):
        answer = msgspec.json.decode(reviewed(Side.VALIDATE, body(new, old=text)))
        assert answer["response"]["allowed"] is allowed
