"""Answers are kept for reviews that ask the same, and for no others."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import casefiles
import msgspec
import pytest
from memo_server import (
    INVENTORY,
    KIND,
    MODEL,
    POD,
    POLICY,
    USER,
    Change,
    Json,
    Server,
    changed,
    decided,
    envelope,
    main_of,
    post,
    renamed,
)
from worlds import ask, everything, examples, world

from webhook.core.admit import admit
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.server.admission import memo
from webhook.server.admission.app import create_handler
from webhook.server.http.messages import HttpResponse


def check_kept(server: Server, pod: Json, path: str, **about: Any) -> None:
    """Reviews of equal pods answer and tell what a decision of their own does."""
    for sent in (pod, renamed(pod)):
        assert server.review(sent, path, **about) == decided(server, path, envelope(sent, **about))


FOLDERS = sorted({path.parent for path in casefiles.paths()})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kept_answer_is_that_of_a_fresh_decision(folder: Path) -> None:
    for path in casefiles.paths():
        if path.parent == folder:
            check_case(casefiles.read(path))


def check_case(case: Json) -> None:
    """Reviews of a case answer and tell what a decision of their own does."""
    server = Server(casefiles.rules(case), casefiles.cluster(case))
    server.labels = case.get("namespace", {})
    prefix = "/audit" if case.get("mode") == "audit" else ""
    about = {"operation": case.get("operation", "CREATE"), "oldObject": case.get("old")}
    about |= {"subResource": case.get("subresource", ""), "user": case.get("user", USER)}
    check_kept(server, case["pod"], f"{prefix}/{case.get('side', 'mutate')}", **about)


@examples(100)
@everything
def test_a_kept_answer_is_that_of_a_fresh_decision_for_any_pod(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    server = Server(policy, world(nodes, policy))
    server.labels = namespace
    for path in ("/mutate", "/validate", "/audit/mutate"):
        check_kept(server, pod, path)


SAME: dict[str, Change] = {
    "names": lambda pod: pod["metadata"].update(name="web-2", generateName="b-", uid="2"),
    "owner": lambda pod: pod["metadata"].pop("ownerReferences"),
    "managed fields": lambda pod: pod["metadata"].pop("managedFields"),
    "a label of one pod": lambda pod: pod["metadata"]["labels"].update({"job-name": "b"}),
    "a label that nobody reads": lambda pod: pod["metadata"]["labels"].update(app="b"),
    "status": lambda pod: pod.update(status={"phase": "Pending"}),
    "environment": lambda pod: main_of(pod)["env"][0].update(value="1"),
    "a variable more": lambda pod: main_of(pod)["env"].append({"name": "A"}),
    "image without a request": lambda pod: pod["spec"]["containers"][1].update(image="c"),
    "a model without a request": lambda pod: pod["spec"]["containers"][1].update(env=MODEL),
    "volume": lambda pod: pod["spec"]["volumes"].append({"name": "a", "configMap": {}}),
    "name of a mount": lambda pod: main_of(pod)["volumeMounts"][0].update(name="a"),
    "probe": lambda pod: main_of(pod).update(readinessProbe={}),
}
DIFFERENT: dict[str, Change] = {
    "our label": lambda pod: pod["metadata"]["labels"].update({"gpu-sharing.io/tenant": "b"}),
    "a label that the policy knows": lambda pod: pod["metadata"]["labels"].update(
        {"serving.kserve.io/inferenceservice": "b"}
    ),
    "a label of a model": lambda pod: pod["metadata"]["labels"].update(
        {"llm-d.ai/model": "llama-7b"}
    ),
    "a label more": lambda pod: pod["metadata"]["labels"].update({"b": "b"}),
    "no labels": lambda pod: pod["metadata"].pop("labels"),
    "annotation": lambda pod: pod["metadata"]["annotations"].update(note="two"),
    "no metadata": lambda pod: pod.pop("metadata"),
    "a variable of NVIDIA's": lambda pod: main_of(pod).update(
        env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "1"}]
    ),
    "a variable of NVIDIA's without a request": lambda pod: pod["spec"]["containers"][1].update(
        env=[{"name": "CUDA_VERSION", "value": "1"}]
    ),
    "a variable of a model": lambda pod: main_of(pod).update(env=MODEL),
    "no variables": lambda pod: main_of(pod).pop("env"),
    "image": lambda pod: main_of(pod).update(image="b"),
    "arguments": lambda pod: main_of(pod).update(args=["b"]),
    "name of a container": lambda pod: main_of(pod).update(name="b"),
    "path of a mount": lambda pod: main_of(pod)["volumeMounts"][0].update(mountPath="/mps"),
    "volume of the node": lambda pod: pod["spec"]["volumes"].append(
        {"name": "kube-api-access-fffff", "hostPath": {"path": "/data"}}
    ),
    "mount of the node's volume": lambda pod: pod["spec"]["volumes"][0].update(
        hostPath={"path": "/data"}
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_pods_that_differ_in_what_nobody_reads_share_an_answer(name: str) -> None:
    server = Server()
    for pod in (POD, renamed(POD), changed(SAME[name])):
        server.review(pod)
    assert len(server.app.answers) == 1


@pytest.mark.parametrize("name", DIFFERENT)
def test_pods_that_differ_in_anything_else_do_not(name: str) -> None:
    server = Server()
    server.review(POD)
    server.review(changed(DIFFERENT[name]))
    assert len(server.app.answers) == 2


def test_other_questions_about_a_pod_do_not_share_an_answer() -> None:
    server = Server()
    for path in ("/mutate", "/validate", "/audit/mutate", "/audit/validate"):
        server.review(POD, path)
        server.review(POD, path, dryRun=True)
    server.labels |= {"gpu-sharing.io/tenant": "a"}
    server.review(POD)
    assert len(server.app.answers) == 9


def test_a_label_that_the_policy_reads_is_no_name() -> None:
    labels = [{"label": "job-name", "value": "b", "workload": "training"}]
    server = Server(casefiles.rules({"policy": {"wellKnownLabels": labels}}))
    server.review(POD)
    server.review(changed(SAME["a label of one pod"]))
    assert len(server.app.answers) == 2


@pytest.mark.parametrize("about", [{"operation": "UPDATE"}, {}], ids=str)
def test_no_answer_about_an_old_pod_is_kept(about: Json) -> None:
    server = Server()
    server.review(POD, oldObject=POD, **about)
    assert len(server.app.answers) == 0


@pytest.mark.parametrize(
    "about",
    [
        {"operation": "UPDATE"},
        {"subResource": "ephemeralcontainers"},
        {"kind": KIND | {"version": "v2"}},
        {"user": "system:serviceaccount:kube-system:exempt"},
    ],
    ids=str,
)
def test_requests_of_another_form_share_no_answer(about: Json) -> None:
    policy = casefiles.rules(
        {"policy": {"exemptUsers": ["system:serviceaccount:kube-system:exempt"]}}
    )
    server = Server(policy)
    server.review(POD)
    server.review(POD, **about)
    assert len(server.app.answers) == 2


def test_a_pod_of_a_wrong_type_is_named_also_once_its_namespace_is_known() -> None:
    async def known() -> Json:
        return {"gpu-sharing.io/mode": "enforce"}

    server = Server()
    later = msgspec.structs.replace(server.app, namespaces=lambda *_: known())
    body = envelope({"spec": {"containers": 1}})
    waiting = create_handler(later)(post("/mutate", body))
    assert not isinstance(waiting, HttpResponse)
    answer = asyncio.run(waiting)
    assert answer.status == "400 Bad Request"
    assert b"$.request.object.spec.containers" in answer.body


def test_a_new_policy_or_inventory_drops_what_is_kept() -> None:
    server = Server()
    given = server.review(POD)
    server.state.inventory = Inventory()
    refused = server.review(POD)
    assert (b'"allowed":true' in given[0], b'"allowed":true' in refused[0]) == (True, False)
    assert len(server.app.answers) == 1
    server.state.policy = casefiles.rules({"policy": {"severalMigDevices": "allow"}})
    server.review(POD)
    assert len(server.app.answers) == 1


def test_nodes_that_offer_the_same_drop_nothing() -> None:
    server = Server()

    async def set_twice() -> bool:
        await server.state.set_nodes(())
        first = server.state.inventory
        await server.state.set_nodes([])
        return server.state.inventory is first

    assert asyncio.run(set_twice())


def test_pods_that_all_differ_evict_the_longest_unused_and_fill_no_memory() -> None:
    server = Server()
    many = memo.MOST_ENTRIES + 100
    for number in range(many):
        if number % 100 == 0:
            server.review(POD)
        server.review(changed(lambda pod: pod["metadata"]["annotations"].update(n=str(number))))  # noqa: B023
    assert len(server.app.answers) == memo.MOST_ENTRIES
    size = server.app.answers.size
    server.review(POD)
    assert server.app.answers.size == size, "it was evicted though it was used"


def test_large_pods_fill_no_memory() -> None:
    server = Server()
    wide = memo.MOST_QUESTION - 2000
    for number in range(80):
        text = f"{number:03}" + "x" * wide
        server.review(changed(lambda pod: pod["spec"]["containers"][0].update(image=text)))  # noqa: B023
    assert 1 < len(server.app.answers) < 80
    assert server.app.answers.size <= memo.MOST_BYTES
    server = Server()
    server.review(changed(lambda pod: main_of(pod).update(image="x" * memo.MOST_QUESTION)))
    assert len(server.app.answers) == 0


def test_answers_of_many_words_are_not_kept() -> None:
    server = Server()
    each = {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}
    many = [{"name": f"c{number}"} | each for number in range(160)]
    server.review(changed(lambda pod: pod["spec"].update(containers=many)), "/validate")
    assert len(server.app.answers) == 0


def decisions(inventory: Inventory) -> list[bytes]:
    """What is kept with an inventory as decided."""
    keys = [key for key in inventory.kept if isinstance(key, tuple) and len(key) == 2]
    return [key[1] for key in keys if isinstance(key[1], bytes)]


def test_a_decision_is_kept_with_the_nodes_and_its_policy() -> None:
    nodes = replace(INVENTORY)
    other = casefiles.rules({"policy": {"matrix": {"inference": {"strategies": ["exclusive"]}}}})
    given = [admit(ask(POD, {}), policy, nodes).strategy for policy in (POLICY, other, POLICY)]
    assert given == ["mig", "exclusive", "mig"]
    assert len(decisions(nodes)) == 2


def test_a_decision_of_a_very_long_pod_is_not_kept_with_the_nodes() -> None:
    nodes = replace(INVENTORY)
    for letters, kept in ((10, 1), (5000, 1)):
        pod = changed(lambda pod: pod["spec"].update(nodeSelector={"a": "x" * letters}))  # noqa: B023
        admit(ask(pod, {}), POLICY, nodes)
        assert len(decisions(nodes)) == kept
