"""Patience with nodes that lose their labels for a while."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tests.server.long_work import taking_a_turn
from webhook.kube.label_grace import KeptNode, Patience, overdue, retain

PATIENCE = Patience(offers=lambda gpus: gpus > 0, seconds=300.0)


def after(previous, current, now):
    return asyncio.run(retain(previous, current, now=now, patience=PATIENCE))


def values(kept):
    return {name: entry.value for name, entry in kept.items()}


def test_a_lost_offer_is_kept_for_the_grace_and_then_let_go():
    kept = after({}, {"a": 8}, 0)
    kept = after(kept, {"a": 0}, 10_000)
    assert kept == {"a": KeptNode(8, lost_at=10_000)}
    assert not overdue(kept, now=10_299, patience=PATIENCE)
    assert values(after(kept, {"a": 0}, 10_299)) == {"a": 8}
    assert overdue(kept, now=10_300, patience=PATIENCE)
    assert after(kept, {"a": 0}, 10_300) == {"a": KeptNode(0)}


def test_a_node_that_no_longer_matters_is_kept_like_one_that_offers_nothing():
    kept = after(after({}, {"a": 8}, 0), {"a": None}, 1)
    assert values(kept) == {"a": 8}
    assert after(kept, {"a": None}, 301) == {}


def test_a_deleted_node_goes_at_once():
    assert after(after({}, {"a": 8}, 0), {}, 1) == {}


def test_another_offer_is_taken_at_once():
    assert after({"a": KeptNode(8)}, {"a": 4}, 1) == {"a": KeptNode(4)}
    assert after({"a": KeptNode(8, lost_at=0)}, {"a": 4}, 1) == {"a": KeptNode(4)}


def test_a_node_that_comes_back_has_its_whole_grace_again():
    kept = {"a": KeptNode(8)}
    for now, gpus in ((0, 0), (299, 8), (310, 0), (600, 0)):
        kept = after(kept, {"a": gpus}, now)
        assert values(kept) == {"a": 8}


def test_a_node_that_never_offered_is_taken_as_it_is():
    assert after({"a": KeptNode(0)}, {"a": -1, "b": None}, 1) == {"a": KeptNode(-1)}


def test_reviews_go_between_any_two_nodes_that_changed():
    async def turns() -> int:
        slow = Patience(offers=lambda _: taking_a_turn())
        known, passed = {str(number): KeptNode(8) for number in range(20)}, 0
        changed = dict.fromkeys(known, 4)
        judged = asyncio.ensure_future(retain(known, changed, now=0, patience=slow))
        while not judged.done():
            await asyncio.sleep(0)
            passed += 1
        return passed

    assert asyncio.run(turns()) >= 20


def test_reviews_go_between_many_nodes_that_did_not_change():
    async def turns() -> int:
        many, passed = dict.fromkeys(map(str, range(20_000)), 8), 0
        kept = await retain({}, many, now=0, patience=PATIENCE)
        judged = asyncio.ensure_future(retain(kept, many, now=0, patience=PATIENCE))
        while not judged.done():
            await asyncio.sleep(0)
            passed += 1
        return passed

    assert asyncio.run(turns()) > 5


NODES = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(-1, 2))
STEPS = st.lists(st.tuples(st.integers(0, 400), NODES), max_size=20)


@given(STEPS)
def test_no_node_is_lost_and_no_deleted_one_is_kept(steps):
    """Over any history: who matters is there, who is gone is not, and every offer stands."""
    kept, now, last_offer = {}, 0, {}
    for seconds, current in steps:
        now += seconds
        kept = after(kept, current, now)
        assert {name for name, gpus in current.items() if gpus is not None} <= set(kept)
        assert set(kept) <= set(current)
        for name, gpus in current.items():
            if gpus is not None and gpus > 0:
                assert kept[name] == KeptNode(gpus)
                last_offer[name] = gpus
            elif name in kept and kept[name].value > 0:
                assert kept[name].value == last_offer[name]
                assert now - kept[name].lost_at < 300
        last_offer = {name: last_offer[name] for name in current if name in last_offer}


@given(STEPS)
def test_what_is_overdue_is_what_time_alone_changes(steps):
    kept, now, current = {}, 0, {}
    for seconds, current in steps:
        now += seconds
        kept = after(kept, current, now)
    for later in (now, now + 299, now + 300):
        changed = after(kept, current, later) != kept
        assert changed == overdue(kept, now=later, patience=PATIENCE)
