"""Reconciliation of a fake API server over HTTP: bootstrap, healing, races, refusals."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from installed import AUTHORITY, CONFIGURATIONS, MUTATING, OBJECTS, SECRETS, SERVING, VALIDATING
from minting import NAMES, NOW, verifies
from simulation import RULES

from certs import names, secrets
from certs.reasons import CertReason
from certs.reconciler import Reconciler
from tests.fake_apiserver.answers import status
from webhook.kube.client import open_client
from webhook.kube.errors import ApiError


def clock():
    return NOW


def bundle(store, path, index):
    return secrets.decode_base64(
        store.objects[path]["webhooks"][index]["clientConfig"].get("caBundle")
    )


def assert_served(store):
    leaf = secrets.read_served(store.objects[SERVING]).leaf
    for name in NAMES:
        assert verifies(leaf.cert, bundle(store, MUTATING, 0), NOW, name)
        assert verifies(leaf.cert, bundle(store, VALIDATING, 1), NOW, name)


def reasons(outcome):
    return [problem.reason for problem in outcome.problems]


def test_one_reconciliation_of_an_empty_cluster_is_enough_and_a_second_changes_nothing(
    server, store, reconcile, heard
):
    outcome = reconcile(clock)
    assert_served(store)
    assert not outcome.problems
    assert heard.reasons == ["ca_missing", "bundle_differs", "bundle_differs", "secret_missing"]
    server.requests.clear()
    assert reconcile(clock).steady
    assert server.writes() == []


def test_secrets_have_the_types_and_keys_that_others_rely_on(server, store, reconcile):
    reconcile(clock)
    serving, authority = store.objects[SERVING], store.objects[AUTHORITY]
    assert serving["type"] == "kubernetes.io/tls"
    assert set(serving["data"]) == {"tls.crt", "tls.key", "ca.crt"}
    assert authority["type"] == "Opaque"
    assert set(authority["data"]) == {"ca.crt", "ca.key", "tls.crt", "tls.key", "trusted.crt"}
    assert authority["metadata"]["annotations"]["gpu-sharing.io/phase"] == "steady"


def test_only_the_ca_bundles_of_our_own_webhooks_are_touched(server, store, reconcile):
    before = {path: store.objects[path]["webhooks"] for path in CONFIGURATIONS}
    reconcile(clock)
    assert store.objects[VALIDATING]["webhooks"][0] == before[VALIDATING][0]
    ours = store.objects[MUTATING]["webhooks"][0]
    ours["clientConfig"].pop("caBundle")
    assert ours == before[MUTATING][0]


def test_what_others_set_on_a_secret_stays(server, store, reconcile):
    reconcile(clock)
    for path in (AUTHORITY, SERVING):
        store.edit(path, lambda item: item["metadata"].update(labels={"a": "b"}, finalizers=["f"]))
        store.edit(path, lambda item: item["data"].update({"tls.crt": "AAAA"}))
    reconcile(clock)
    for path in (AUTHORITY, SERVING):
        assert store.objects[path]["metadata"]["labels"] == {"a": "b"}
        assert store.objects[path]["metadata"]["finalizers"] == ["f"]
    assert_served(store)


@pytest.mark.parametrize("path", [AUTHORITY, SERVING])
def test_a_deleted_secret_comes_back_with_the_leaf_that_is_served(server, store, reconcile, path):
    reconcile(clock)
    served = secrets.read_served(store.objects[SERVING]).leaf
    del store.objects[path]
    reconcile(clock)
    assert secrets.read_served(store.objects[SERVING]).leaf == served
    assert_served(store)


@pytest.mark.parametrize("text", ["", "bm8=", "no base64!"])
def test_a_damaged_ca_bundle_is_mended_by_one_look(server, store, reconcile, heard, text):
    reconcile(clock)
    heard.clear()
    store.edit(MUTATING, lambda item: item["webhooks"][0]["clientConfig"].update(caBundle=text))
    reconcile(clock)
    assert_served(store)
    assert heard.reasons == ["bundle_differs"]


def test_a_missing_configuration_is_told_and_served_when_it_comes(server, store, reconcile):
    item = store.objects.pop(VALIDATING)
    assert reasons(reconcile(clock)) == [CertReason.CONFIGURATION_MISSING]
    store.put(names.VALIDATING, item)
    assert reasons(reconcile(clock)) == []
    assert_served(store)


def test_a_configuration_without_a_webhook_of_ours_is_told(server, store, reconcile):
    store.edit(MUTATING, lambda item: item.update(webhooks=[]))
    assert reasons(reconcile(clock)) == [CertReason.NO_ENTRY]


@pytest.mark.parametrize("verb", ["get", "patch"])
def test_one_forbidden_configuration_does_not_keep_the_other_from_its_bundle(
    server, store, reconcile, verb
):
    server.plan(verb, MUTATING, status(403, "no right"))
    outcome = reconcile(clock)
    assert reasons(outcome) == [CertReason.CONFIGURATION_FAILED]
    assert outcome.problems[0].detail == "HTTP 403: no right"
    assert bundle(store, VALIDATING, 1)


def test_a_new_leaf_is_held_back_while_a_configuration_cannot_be_read(server, store, reconcile):
    reconcile(clock)
    del store.objects[SERVING]
    del store.objects[AUTHORITY]
    server.plan("get", MUTATING, *[status(500, "down")] * 3)
    found = [reasons(reconcile(clock)) for _ in range(3)]
    assert found == [[CertReason.CONFIGURATION_FAILED, CertReason.BUNDLE_NOT_HELD]] * 3
    assert SERVING not in store.objects
    assert reasons(reconcile(clock)) == [CertReason.BUNDLE_NOT_HELD]  # now they are patched,
    assert reasons(reconcile(clock)) == [CertReason.BUNDLE_NOT_HELD]  # now seen to be,
    assert reasons(reconcile(lambda: NOW + RULES.hurry)) == []  # and now long enough
    assert_served(store)


def test_forbidden_secrets_are_an_error_with_the_servers_own_words(server, store, reconcile):
    server.plan("get", AUTHORITY, status(403, "User we cannot get secrets"))
    with pytest.raises(ApiError, match="HTTP 403: User we cannot get secrets"):
        reconcile(clock)
    assert server.writes() == []


def test_a_lost_race_is_read_anew_at_once_and_given_up_at_the_third(
    server, store, reconcile, heard
):
    server.plan("create", SECRETS, *[status(409, "exists")] * 3)
    with pytest.raises(ApiError, match="HTTP 409"):
        reconcile(clock)
    assert heard.reasons == ["raced", "raced"]
    reconcile(clock)
    assert_served(store)


def test_two_processes_at_once_settle_on_one_authority(store, runner, kubeconfig, reporter, heard):
    async def keep():
        async with open_client(kubeconfig) as client:
            reconciler = Reconciler(client, OBJECTS, RULES, reporter)
            for _ in range(4):
                with suppress(ApiError):
                    await reconciler.reconcile(clock)

    async def both():
        await asyncio.gather(keep(), keep())

    runner.run(both())
    assert heard.reasons.count("ca_missing") == 1
    assert_served(store)


def test_a_renewal_changes_the_leaf_and_no_ca_bundle(server, store, reconcile, heard):
    reconcile(clock)
    before = bundle(store, MUTATING, 0)
    heard.clear()
    reconcile(lambda: NOW + timedelta(days=61))
    assert heard.reasons == ["leaf_aged", "secret_differs"]
    assert bundle(store, MUTATING, 0) == before
