"""The promise of the rotation, by chance: no leaf is ever served that a caBundle in force refuses.

Secrets and caBundles are deleted, damaged and rolled back, the API server fails, controllers race
and are suspended between any two requests, and time jumps by up to a whole CA's life.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installed import AUTHORITY, CONFIGURATIONS, SERVING
from minting import DAY, NAMES
from simulation import API, INTERVAL, KUBELET, RULES, Cluster

from certs import secrets as stored
from certs.authority import RotationPhase
from certs.rotation import RotationRules
from tests.fake_apiserver.answers import status

LONGEST_OUTAGE = 2 * INTERVAL
MINUTE = timedelta(minutes=1)

seconds = st.integers(0, 70).map(lambda number: timedelta(seconds=number))
configurations = st.sampled_from(CONFIGURATIONS)
secrets = st.sampled_from([AUTHORITY, SERVING])
keys = st.sampled_from(["ca.crt", "ca.key", "tls.crt", "tls.key", "trusted.crt"])
requests = st.sampled_from(
    [
        *(("get", path) for path in (AUTHORITY, SERVING, *CONFIGURATIONS)),
        *(("update", path) for path in (AUTHORITY, SERVING)),
        *(("patch", path) for path in CONFIGURATIONS),
    ]
)


def deed(name: str, *arguments: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(st.just(name), st.tuples(*arguments))


vandals = st.one_of(
    deed("forget", st.one_of(secrets, configurations)),
    deed("reinstall", configurations),
    deed("damage", secrets, keys, st.sampled_from([None, b"", b"garbage"])),
    deed("serve_foreign"),
    deed("break_bundle", configurations, st.sampled_from(["empty", "garbage", "foreign"])),
    deed("restore", st.integers(0, 20)),
    deed("set_clock", st.sampled_from([-400 * DAY, -DAY, 0 * DAY, 70 * DAY, 400 * DAY])),
)
controllers = st.one_of(
    deed("reconcile"),
    deed("interrupted", st.integers(1, 8), st.integers(1, 12), seconds),
    deed("fail", requests, st.sampled_from([403, 409, 500])),
)
times = st.one_of(
    deed("advance", seconds),
    deed("advance", st.sampled_from([30 * DAY, 61 * DAY, 91 * DAY, 250 * DAY, 400 * DAY])),
)
stories = st.lists(st.one_of(controllers, controllers, vandals, times), min_size=1, max_size=14)


def live(cluster: Cluster, story: list[tuple[str, tuple]]) -> None:
    """Live through a story; a controller looks after each deed, as its interval makes it."""
    for name, arguments in story:
        if name == "fail":
            (method, path), code = arguments
            cluster.api.plan(method, path, status(code, "planned"))
        else:
            getattr(cluster, name)(*arguments)
        cluster.reconcile()
        cluster.advance(INTERVAL)


def look_for(cluster: Cluster, time: timedelta) -> None:
    end = cluster.now + time
    while cluster.now < end:
        cluster.reconcile()
        cluster.advance(INTERVAL)


def look_often(cluster: Cluster, interval: timedelta) -> None:
    for _ in range(20):
        cluster.reconcile()
        cluster.advance(interval)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(stories)
def test_what_is_served_always_verifies_and_everything_heals_within_a_minute(story):
    cluster = Cluster()
    look_for(cluster, 2 * INTERVAL)
    live(cluster, story)
    cluster.api.faults.clear()
    for path in CONFIGURATIONS:
        if path not in cluster.store.objects:
            cluster.reinstall(path)
    look_for(cluster, MINUTE)
    assert cluster.is_healed()
    look_for(cluster, RULES.spread + RULES.settle + 3 * INTERVAL)
    assert cluster.is_steady()


NO_SPREAD = RotationRules(NAMES, spread=timedelta(0), settle=RULES.settle)
NO_SETTLE = RotationRules(NAMES, spread=RULES.spread, settle=timedelta(0))


@pytest.mark.parametrize(("rules", "interval"), [(NO_SPREAD, timedelta(0)), (NO_SETTLE, INTERVAL)])
def test_the_simulation_notices_a_rotation_that_does_not_wait(rules, interval):
    cluster = Cluster(rules)
    look_for(cluster, MINUTE)
    cluster.forget(AUTHORITY)
    with pytest.raises(AssertionError, match="bundle_differs"):
        look_often(cluster, interval)


def test_two_years_pass_with_leaf_renewals_and_ca_rotations_and_no_gap():
    cluster = Cluster()
    authorities, leaves, phases = set(), set(), set()
    for _ in range(300):
        look_for(cluster, INTERVAL)
        state = stored.read_authority(cluster.store.objects[AUTHORITY])
        authorities.add(state.ca.cert)
        leaves.add(state.leaf.cert)
        phases.add(state.phase)
        cluster.advance(INTERVAL if state.phase is not RotationPhase.STEADY else 5 * DAY)
    assert len(authorities) >= 3
    assert len(leaves) >= 9
    assert phases == set(RotationPhase)


@pytest.mark.parametrize("days", [-400, -1, 70, 400])
def test_a_clock_that_is_wrong_changes_nothing_and_what_is_renewed_then_verifies(days):
    cluster = Cluster()
    look_for(cluster, MINUTE)
    cluster.set_clock(days * DAY)
    assert cluster.is_steady()
    cluster.forget(AUTHORITY)
    look_for(cluster, RULES.spread + RULES.settle + 3 * INTERVAL)
    assert cluster.is_healed()
    cluster.set_clock(0 * DAY)
    assert cluster.is_steady()


def test_a_rotation_passes_its_phases_for_these_reasons_and_waits_in_both():
    cluster = Cluster()
    look_for(cluster, MINUTE)
    cluster.told.clear()
    cluster.forget(AUTHORITY)
    start = cluster.now
    while not cluster.is_steady():
        cluster.advance(INTERVAL)
    reasons = [reason for event, reason in cluster.told if event == "authority written"]
    assert reasons == ["ca_missing", "wait_started", "ca_spread", "wait_started", "leaf_settled"]
    assert cluster.now - start >= RULES.spread + RULES.settle


@pytest.mark.parametrize("at", range(1, 8))
def test_two_controllers_that_start_at_once_settle_wherever_one_is_suspended(at):
    cluster = Cluster()
    cluster.interrupted(at, 1, timedelta(0))
    assert cluster.is_healed()
    assert cluster.is_steady()
    assert len({each.content for each in cluster.leaves}) == 1


@pytest.mark.parametrize("at", range(1, 8))
def test_a_controller_suspended_through_a_whole_rotation_undoes_nothing(at):
    cluster = Cluster()
    look_for(cluster, MINUTE)
    cluster.forget(AUTHORITY)
    rotation = RULES.spread + RULES.settle + 6 * INTERVAL
    cluster.interrupted(at, rotation // INTERVAL, INTERVAL)
    look_for(cluster, rotation)
    assert cluster.is_steady()


@pytest.mark.parametrize("path", [AUTHORITY, SERVING, *CONFIGURATIONS])
def test_whatever_is_deleted_is_healed_by_one_look_and_what_is_served_still_verifies(path):
    cluster = Cluster()
    look_for(cluster, MINUTE)
    served = cluster.leaves[0].content
    if path in CONFIGURATIONS:
        cluster.reinstall(path)
    else:
        cluster.forget(path)
    cluster.reconcile()
    assert cluster.is_healed()
    assert [each.content for each in cluster.leaves] == [served] * len(cluster.leaves)


def test_both_secrets_deleted_heal_by_three_looks_while_replicas_serve_the_old_leaf():
    cluster = Cluster()
    look_for(cluster, MINUTE)
    cluster.forget(AUTHORITY)
    cluster.forget(SERVING)
    look_for(cluster, 2 * INTERVAL)
    assert SERVING not in cluster.store.objects  # API servers first get the new CA
    cluster.reconcile()
    assert cluster.is_healed()
    cluster.advance(API)
    assert len(cluster.leaves) == 2
    look_for(cluster, KUBELET)
