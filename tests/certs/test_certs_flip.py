"""The failurePolicy flip: Ignore until a pod that must be refused really was refused."""

import json
from datetime import timedelta

import pytest
from certs_api import MUTATING, VALIDATING, configuration, status, webhook
from minting import NOW

from certs.flip import Flipper, Probing
from certs.probe import probe_pods
from certs.reasons import Reason

MUTATE, VALIDATE = "mutate.example.io", "validate.example.io"
PROBING = Probing("gpu-sharing-probe")
HOUR = timedelta(hours=1)


def refused(name, code=403):
    return code, status(f'admission webhook "{name}" denied the request: no [reason]')


def each_refuses(pod):
    """Each side refuses the pod that is meant for it."""
    return refused(MUTATE if "mutate" in pod["metadata"]["name"] else VALIDATE)


def install(store, policies, policy="Ignore"):
    text = json.dumps(policies) if policies is not None else None
    audit = webhook("audit.example.io")
    store.put(MUTATING, configuration(webhook(MUTATE, policy=policy), audit, policies=text))
    store.put(VALIDATING, configuration(webhook(VALIDATE, policy=policy), policies=text))


def policies(store):
    found = [entry for path in (MUTATING, VALIDATING) for entry in store.objects[path]["webhooks"]]
    return {entry["name"]: entry["failurePolicy"] for entry in found}


@pytest.fixture
def look(api, keeper, heard):
    """Look like the loop does; returns the reasons of what is in the way."""

    def create(probing=PROBING):
        flipper = Flipper(api, probing, heard)

        def turn(now=NOW):
            problems = flipper.look(keeper.look(lambda: now))
            return [problem.reason for problem in problems]

        turn()  # the bootstrap, which is never steady
        heard.clear()
        return turn

    return create


def probes(store):
    return sum(path.endswith("/gpu-sharing-probe/pods") for _, path in store.requests)


def test_nothing_is_probed_before_a_look_that_found_all_in_place(store, look):
    install(store, {MUTATE: "Fail"})
    store.pods = each_refuses
    look()
    assert probes(store) == 0


def test_fail_is_set_where_it_is_configured_and_proven(store, look, heard):
    install(store, {MUTATE: "Fail", VALIDATE: "Fail", "audit.example.io": "Ignore"})
    store.pods = each_refuses
    turn = look()
    assert turn() == []
    assert policies(store) == {MUTATE: "Fail", VALIDATE: "Fail", "audit.example.io": "Ignore"}
    assert heard.reasons == ["refusal_proven", "refusal_proven"]
    store.requests.clear()
    assert turn() == []
    assert (probes(store), store.writes()) == (0, [])


def test_a_webhook_that_refused_nothing_stays_ignore(store, look):
    install(store, {MUTATE: "Fail", VALIDATE: "Fail"})
    store.pods = lambda _pod: refused(MUTATE)
    assert look()() == [Reason.PROBE_REFUSED_BY_OTHER]
    assert policies(store)[MUTATE] == "Fail"
    assert policies(store)[VALIDATE] == "Ignore"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((201, {}), Reason.PROBE_NOT_REFUSED),
        ((403, status('pods is forbidden: User "we" cannot create')), Reason.PROBE_FAILED),
        ((403, status("exceeded quota: none")), Reason.PROBE_FAILED),
        ((404, status('namespaces "gpu-sharing-probe" not found')), Reason.PROBE_FAILED),
        ((500, status(f'failed calling webhook "{MUTATE}"')), Reason.PROBE_FAILED),
        (refused("else.example.io"), Reason.PROBE_REFUSED_BY_OTHER),
    ],
)
def test_anything_but_our_own_refusal_leaves_ignore_and_says_why(store, look, answer, reason):
    install(store, {MUTATE: "Fail", VALIDATE: "Fail"})
    store.pods = lambda _pod: answer
    assert set(look()()) == {reason}
    assert set(policies(store).values()) == {"Ignore"}


def test_without_a_probe_namespace_it_stays_ignore(store, look):
    install(store, {MUTATE: "Fail"})
    assert look(Probing())() == [Reason.NO_PROBE_NAMESPACE]


def test_ignore_is_set_without_a_proof(store, look, heard):
    install(store, {MUTATE: "Ignore"}, policy="Fail")
    assert look()() == []
    assert policies(store)[MUTATE] == "Ignore"
    assert policies(store)[VALIDATE] == "Fail"  # nothing is configured for it: left to others
    assert heard.reasons == ["ignore_configured"]
    assert probes(store) == 0


@pytest.mark.parametrize("text", ["no json", "[]", '{"a": "fail"}'])
def test_a_wrong_annotation_is_told_and_changes_nothing(store, keeper, text):
    store.put(MUTATING, configuration(webhook(MUTATE), policies=text))
    problems = keeper.look(lambda: NOW).problems
    assert [problem.reason for problem in problems] == [Reason.BAD_ANNOTATION]


def test_a_refusal_that_is_missed_later_is_told_and_never_flips_back(store, look):
    install(store, {MUTATE: "Fail", VALIDATE: "Fail"})
    store.pods = each_refuses
    turn = look(Probing("gpu-sharing-probe", HOUR))
    turn()
    store.pods = lambda pod: (201, pod)
    assert turn(NOW + HOUR / 2) == []
    assert turn(NOW + HOUR) == [Reason.PROBE_NOT_REFUSED] * 2
    assert turn(NOW + HOUR * 1.5) == [Reason.PROBE_NOT_REFUSED] * 2  # told until the next probe
    assert policies(store)[MUTATE] == "Fail"
    store.pods = each_refuses
    assert turn(NOW + HOUR * 2) == []


def test_an_upgrade_that_resets_to_ignore_is_proven_anew(store, look):
    install(store, {MUTATE: "Fail"})
    store.pods = each_refuses
    turn = look()
    turn()
    store.edit(MUTATING, lambda item: item["webhooks"][0].update(failurePolicy="Ignore"))
    turn()
    assert policies(store)[MUTATE] == "Fail"


def test_a_configuration_that_changed_meanwhile_is_left_to_the_next_look(store, look):
    install(store, {MUTATE: "Fail"})

    def refuse_and_meddle(pod):
        store.edit(MUTATING, lambda item: item["metadata"].update(labels={"a": "b"}))
        return each_refuses(pod)

    store.pods = refuse_and_meddle
    turn = look()
    assert turn() == []
    assert policies(store)[MUTATE] == "Ignore"
    store.pods = each_refuses
    turn()
    assert policies(store)[MUTATE] == "Fail"


def test_probe_pods_comply_with_restricted_pod_security():
    for pod in probe_pods():
        (container,) = pod["spec"]["containers"]
        security = container["securityContext"]
        assert security["runAsNonRoot"]
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
