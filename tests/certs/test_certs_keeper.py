"""The keeper against a stand-in API server over HTTP: bootstrap, healing, races, refusals."""

import threading
from datetime import timedelta

import pytest
from certs_api import (
    AUTHORITY,
    CONFIGURATIONS,
    MUTATING,
    SECRETS,
    SERVING,
    VALIDATING,
    status,
)
from minting import NAMES, NOW, verifies
from simulation import PLACE, RULES

from certs import stored
from certs.client import ApiError, ConflictError, ForbiddenError, NotFoundError, Request, connect
from certs.keeper import Keeper
from certs.reasons import Reason


def clock():
    return NOW


def bundle(store, path, index):
    return stored.decoded(store.objects[path]["webhooks"][index]["clientConfig"].get("caBundle"))


def assert_served(store):
    leaf = stored.read_served(store.objects[SERVING]).leaf
    for name in NAMES:
        assert verifies(leaf.cert, bundle(store, MUTATING, 0), NOW, name)
        assert verifies(leaf.cert, bundle(store, VALIDATING, 1), NOW, name)


def reasons(outcome):
    return [problem.reason for problem in outcome.problems]


def test_one_look_at_an_empty_cluster_is_enough_and_a_second_changes_nothing(store, keeper, heard):
    outcome = keeper.look(clock)
    assert_served(store)
    assert not outcome.problems
    assert heard.reasons == ["ca_missing", "bundle_differs", "bundle_differs", "secret_missing"]
    store.requests.clear()
    assert keeper.look(clock).steady
    assert store.writes() == []


def test_secrets_have_the_types_and_keys_that_others_rely_on(store, keeper):
    keeper.look(clock)
    serving, authority = store.objects[SERVING], store.objects[AUTHORITY]
    assert serving["type"] == "kubernetes.io/tls"
    assert set(serving["data"]) == {"tls.crt", "tls.key", "ca.crt"}
    assert authority["type"] == "Opaque"
    assert set(authority["data"]) == {"ca.crt", "ca.key", "tls.crt", "tls.key", "trusted.crt"}
    assert authority["metadata"]["annotations"]["gpu-sharing.io/phase"] == "steady"


def test_only_the_ca_bundles_of_our_own_webhooks_are_touched(store, keeper):
    before = {path: store.objects[path]["webhooks"] for path in CONFIGURATIONS}
    keeper.look(clock)
    assert store.objects[VALIDATING]["webhooks"][0] == before[VALIDATING][0]
    ours = store.objects[MUTATING]["webhooks"][0]
    ours["clientConfig"].pop("caBundle")
    assert ours == before[MUTATING][0]


def test_what_others_set_on_a_secret_stays(store, keeper):
    keeper.look(clock)
    for path in (AUTHORITY, SERVING):
        store.edit(path, lambda item: item["metadata"].update(labels={"a": "b"}, finalizers=["f"]))
        store.edit(path, lambda item: item["data"].update({"tls.crt": "AAAA"}))
    keeper.look(clock)
    for path in (AUTHORITY, SERVING):
        assert store.objects[path]["metadata"]["labels"] == {"a": "b"}
        assert store.objects[path]["metadata"]["finalizers"] == ["f"]
    assert_served(store)


@pytest.mark.parametrize("path", [AUTHORITY, SERVING])
def test_a_deleted_secret_comes_back_with_the_leaf_that_is_served(store, keeper, path):
    keeper.look(clock)
    served = stored.read_served(store.objects[SERVING]).leaf
    del store.objects[path]
    keeper.look(clock)
    assert stored.read_served(store.objects[SERVING]).leaf == served
    assert_served(store)


@pytest.mark.parametrize("text", ["", "bm8=", "no base64!"])
def test_a_damaged_ca_bundle_is_mended_by_one_look(store, keeper, heard, text):
    keeper.look(clock)
    heard.clear()
    store.edit(MUTATING, lambda item: item["webhooks"][0]["clientConfig"].update(caBundle=text))
    keeper.look(clock)
    assert_served(store)
    assert heard.reasons == ["bundle_differs"]


def test_a_missing_configuration_is_told_and_served_when_it_comes(store, keeper):
    item = store.objects.pop(VALIDATING)
    assert reasons(keeper.look(clock)) == [Reason.CONFIGURATION_MISSING]
    store.put(VALIDATING, item)
    assert reasons(keeper.look(clock)) == []
    assert_served(store)


def test_a_configuration_without_a_webhook_of_ours_is_told(store, keeper):
    store.edit(MUTATING, lambda item: item.update(webhooks=[]))
    assert reasons(keeper.look(clock)) == [Reason.NO_ENTRY]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_one_forbidden_configuration_does_not_keep_the_other_from_its_bundle(store, keeper, method):
    store.plan(method, MUTATING, (403, status("no right")))
    outcome = keeper.look(clock)
    assert reasons(outcome) == [Reason.CONFIGURATION_FAILED]
    assert outcome.problems[0].detail == "HTTP 403: no right"
    assert bundle(store, VALIDATING, 1)


def test_a_new_leaf_is_held_back_while_a_configuration_cannot_be_read(store, keeper):
    keeper.look(clock)
    del store.objects[SERVING]
    del store.objects[AUTHORITY]
    store.plan("GET", MUTATING, *[(500, status("down"))] * 3)
    found = [reasons(keeper.look(clock)) for _ in range(3)]
    assert found == [[Reason.CONFIGURATION_FAILED, Reason.BUNDLE_NOT_HELD]] * 3
    assert SERVING not in store.objects
    assert reasons(keeper.look(clock)) == [Reason.BUNDLE_NOT_HELD]  # now they are patched,
    assert reasons(keeper.look(clock)) == [Reason.BUNDLE_NOT_HELD]  # now seen to be,
    assert reasons(keeper.look(lambda: NOW + RULES.hurry)) == []  # and now long enough
    assert_served(store)


def test_forbidden_secrets_are_an_error_with_the_servers_own_words(store, keeper):
    store.plan("GET", AUTHORITY, (403, status("User we cannot get secrets")))
    with pytest.raises(ForbiddenError, match="HTTP 403: User we cannot get secrets"):
        keeper.look(clock)
    assert store.writes() == []


def test_a_lost_race_is_read_anew_at_once_and_given_up_at_the_third(store, keeper, heard):
    store.plan("POST", SECRETS, *[(409, status("exists"))] * 3)
    with pytest.raises(ConflictError):
        keeper.look(clock)
    assert heard.reasons == ["raced", "raced"]
    keeper.look(clock)
    assert_served(store)


def test_two_keepers_in_two_threads_settle_on_one_authority(store, kubeconfig, heard):
    gate = threading.Barrier(2)

    def keep():
        keeper = Keeper(connect(kubeconfig), PLACE, RULES, heard)
        gate.wait()
        for _ in range(4):
            try:
                keeper.look(clock)
            except ConflictError:
                continue

    threads = [threading.Thread(target=keep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard.reasons.count("ca_missing") == 1
    assert_served(store)


def test_a_renewal_changes_the_leaf_and_no_ca_bundle(store, keeper, heard):
    keeper.look(clock)
    before = bundle(store, MUTATING, 0)
    heard.clear()
    keeper.look(lambda: NOW + timedelta(days=61))
    assert heard.reasons == ["leaf_aged", "secret_differs"]
    assert bundle(store, MUTATING, 0) == before


def test_errors_of_the_client_have_their_types(api, store):
    with pytest.raises(NotFoundError):
        api(Request("GET", f"{SECRETS}/none"))
    store.plan("GET", SERVING, (502, {}))
    with pytest.raises(ApiError, match="HTTP 502"):
        api(Request("GET", SERVING))


def test_a_server_that_is_not_there_is_an_error_without_a_status(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text("nothing: here\n")
    with pytest.raises(ApiError) as raised:
        connect(str(path))
    assert raised.value.status is None
