"""The failurePolicy: Ignore until a pod that must be refused really was refused."""

import json
from datetime import timedelta

import pytest
from installed import MUTATING, VALIDATING, configuration, webhook
from minting import NOW

from certs import names
from certs.failure_policy import FailurePolicies, Probing
from certs.probe import PROBE_PODS
from certs.reasons import CertReason
from tests.fake_apiserver.answers import StatusError, denied
from tests.fake_apiserver.api import Admitted

MUTATE, VALIDATE = "mutate.example.io", "validate.example.io"
PROBING = Probing("gpu-sharing-probe")
PROBES = "/api/v1/namespaces/gpu-sharing-probe/pods"
HOUR = timedelta(hours=1)


def refused(name, *reasons, code=403):
    causes = [{"reason": reason, "message": "no", "field": "spec"} for reason in reasons]
    return denied(name, "no [reason]", *causes, code=code)


def refusing(error):
    """Refuse every pod with an error."""

    def admit(request):
        raise error

    return admit


def admit_pods(server, admit):
    """Admit pods so, and everything else as it is."""

    def admit_all(request):
        return admit(request) if request.path == PROBES else Admitted(request.body)

    server.admit = admit_all


def each_refuses(request):
    """Each side refuses the pod that is meant for it."""
    if "mutate" in request.body["metadata"]["name"]:
        raise refused(MUTATE, "invalid_workload")
    raise refused(VALIDATE, "gpu_visibility")


def only_validating_refuses(request):
    """The mutating side is not called, or fails, so the validating one sees both pods."""
    if "mutate" in request.body["metadata"]["name"]:
        raise refused(VALIDATE, "invalid_workload", "not_rewritten")
    raise refused(VALIDATE, "gpu_visibility")


def install(server, policies, policy="Ignore"):
    text = json.dumps(policies) if policies is not None else None
    audit = webhook("audit.example.io")
    mutating = configuration(webhook(MUTATE, policy=policy), audit, policies=text)
    server.store.put(names.MUTATING, mutating)
    validating = configuration(webhook(VALIDATE, policy=policy), policies=text)
    server.store.put(names.VALIDATING, validating)


def policies(server):
    objects = server.store.objects
    found = [entry for path in (MUTATING, VALIDATING) for entry in objects[path]["webhooks"]]
    return {entry["name"]: entry["failurePolicy"] for entry in found}


@pytest.fixture
def look(client, runner, reconciler, reporter, heard):
    """Reconcile like the loop does; returns the reasons of what is in the way."""

    def create(probing=PROBING):
        failure_policies = FailurePolicies(client, probing, reporter)

        async def both(now):
            return await failure_policies.reconcile(await reconciler.reconcile(lambda: now))

        def turn(now=NOW):
            return [problem.reason for problem in runner.run(both(now))]

        turn()  # the bootstrap, which is never steady
        heard.clear()
        return turn

    return create


def probes(server):
    return len(server.seen("create", PROBES))


def test_nothing_is_probed_before_a_look_that_found_all_in_place(server, look):
    install(server, {MUTATE: "Fail"})
    admit_pods(server, each_refuses)
    look()
    assert probes(server) == 0


def test_fail_is_set_where_it_is_configured_and_proven(server, look, heard):
    install(server, {MUTATE: "Fail", VALIDATE: "Fail", "audit.example.io": "Ignore"})
    admit_pods(server, each_refuses)
    turn = look()
    assert turn() == []
    assert policies(server) == {MUTATE: "Fail", VALIDATE: "Fail", "audit.example.io": "Ignore"}
    assert heard.reasons == ["refusal_proven", "refusal_proven"]
    server.requests.clear()
    assert turn() == []
    assert (probes(server), server.writes()) == (0, [])


def test_a_webhook_that_refused_nothing_stays_ignore(server, look):
    install(server, {MUTATE: "Fail", VALIDATE: "Fail"})
    admit_pods(server, refusing(refused(MUTATE, "invalid_workload")))
    assert look()() == [CertReason.PROBE_REFUSED_BY_OTHER]
    assert policies(server)[MUTATE] == "Fail"
    assert policies(server)[VALIDATE] == "Ignore"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda request: Admitted(request.body), CertReason.PROBE_NOT_REFUSED),
        (refusing(StatusError(403, "pods is forbidden: User cannot")), CertReason.PROBE_FAILED),
        (refusing(StatusError(403, "exceeded quota: none")), CertReason.PROBE_FAILED),
        (refusing(StatusError(404, "namespace not found")), CertReason.PROBE_FAILED),
        (refusing(StatusError(500, "failed calling webhook")), CertReason.PROBE_FAILED),
        (refusing(refused("else.example.io")), CertReason.PROBE_FAILED),
        (refusing(refused("else.io", "no_gpus")), CertReason.PROBE_REFUSED_BY_OTHER),
        (refusing(refused(MUTATE, "invalid_workload", code=422)), CertReason.PROBE_FAILED),
    ],
)
def test_anything_but_our_own_refusal_leaves_ignore_and_says_why(server, look, answer, reason):
    install(server, {MUTATE: "Fail", VALIDATE: "Fail"})
    admit_pods(server, answer)
    assert set(look()()) == {reason}
    assert set(policies(server).values()) == {"Ignore"}


def test_the_validating_side_does_not_prove_the_mutating_one(server, look):
    install(server, {MUTATE: "Fail", VALIDATE: "Fail"})
    admit_pods(server, only_validating_refuses)
    assert look()() == [CertReason.PROBE_REFUSED_BY_OTHER]
    assert (policies(server)[MUTATE], policies(server)[VALIDATE]) == ("Ignore", "Fail")


def test_without_a_probe_namespace_it_stays_ignore(server, look):
    install(server, {MUTATE: "Fail"})
    assert look(Probing())() == [CertReason.NO_PROBE_NAMESPACE]


def test_ignore_is_set_without_a_proof(server, look, heard):
    install(server, {MUTATE: "Ignore"}, policy="Fail")
    assert look()() == []
    assert policies(server)[MUTATE] == "Ignore"
    assert policies(server)[VALIDATE] == "Fail"  # nothing is configured for it: left to others
    assert heard.reasons == ["ignore_configured"]
    assert probes(server) == 0


@pytest.mark.parametrize("text", ["no json", "[]", '{"a": "fail"}'])
def test_a_wrong_annotation_is_told_and_changes_nothing(server, reconcile, text):
    server.store.put(names.MUTATING, configuration(webhook(MUTATE), policies=text))
    problems = reconcile(lambda: NOW).problems
    assert [problem.reason for problem in problems] == [CertReason.BAD_ANNOTATION]


def test_a_refusal_that_is_missed_later_is_told_and_never_flips_back(server, look):
    install(server, {MUTATE: "Fail", VALIDATE: "Fail"})
    admit_pods(server, each_refuses)
    turn = look(Probing("gpu-sharing-probe", HOUR))
    turn()
    admit_pods(server, lambda request: Admitted(request.body))
    assert turn(NOW + HOUR / 2) == []
    assert turn(NOW + HOUR) == [CertReason.PROBE_NOT_REFUSED] * 2
    assert turn(NOW + HOUR * 1.5) == [CertReason.PROBE_NOT_REFUSED] * 2  # told until the next probe
    assert policies(server)[MUTATE] == "Fail"
    admit_pods(server, each_refuses)
    assert turn(NOW + HOUR * 2) == []


def test_an_upgrade_that_resets_to_ignore_is_proven_anew(server, look):
    install(server, {MUTATE: "Fail"})
    admit_pods(server, each_refuses)
    turn = look()
    turn()
    server.store.edit(MUTATING, lambda item: item["webhooks"][0].update(failurePolicy="Ignore"))
    turn()
    assert policies(server)[MUTATE] == "Fail"


def test_a_configuration_that_changed_meanwhile_is_left_to_the_next_look(server, look):
    install(server, {MUTATE: "Fail"})

    def refuse_and_meddle(request):
        server.store.edit(MUTATING, lambda item: item["metadata"].update(labels={"a": "b"}))
        return each_refuses(request)

    admit_pods(server, refuse_and_meddle)
    turn = look()
    assert turn() == []
    assert policies(server)[MUTATE] == "Ignore"
    admit_pods(server, each_refuses)
    turn()
    assert policies(server)[MUTATE] == "Fail"


def test_probe_pods_comply_with_restricted_pod_security():
    for each in PROBE_PODS:
        (container,) = each.pod["spec"]["containers"]
        security = container["securityContext"]
        assert security["runAsNonRoot"]
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
