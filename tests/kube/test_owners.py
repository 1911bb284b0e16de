"""The object of an event: from a ReplicaSet to what a person looks at."""

import pytest
from cluster_doubles import asked, eventually
from event_doubles import DEPLOYMENT, JOB, SET, SETS, refusal, replica_set, rewrite, settled, stored

from tests.fake_apiserver.answers import status
from webhook.core.event import Regarding

ROLLOUT = Regarding("argoproj.io/v1alpha1", "Rollout", "web", "uid-rollout")
SET_PATH = f"{SETS}/web-6d4"


def told_on(api):
    """Return the objects of all events, without the namespace."""
    found = [dict(event["regarding"]) for event in stored(api)]
    for each in found:
        assert each.pop("namespace") == "shop"
    return found


def as_json(regarding):
    return {
        "apiVersion": regarding.api_version,
        "kind": regarding.kind,
        "name": regarding.name,
        "uid": regarding.uid,
    }


@pytest.mark.parametrize("owner", [DEPLOYMENT, ROLLOUT])
async def test_an_event_of_a_replica_set_stands_on_its_controller(api, telling, counts, owner):
    api.store.put(SETS, replica_set(controller=owner))
    telling().offer(refusal(regarding=SET))
    await eventually(settled(counts, 1))
    assert told_on(api) == [as_json(owner)]
    assert stored(api)[0]["metadata"]["name"].startswith("web.")


async def test_the_answer_is_remembered(api, telling, counts):
    api.store.put(SETS, replica_set())
    events = telling()
    for number in range(5):
        events.offer(refusal(str(number), regarding=SET))
    events.offer(rewrite(regarding=SET))
    await eventually(settled(counts, 6))
    assert len(asked(api, "get", SET_PATH)) == 1


async def test_the_replica_sets_of_a_deployment_share_one_event(api, telling, counts):
    events = telling()
    for name in ("web-6d4", "web-7f9"):
        api.store.put(SETS, replica_set(name))
        events.offer(refusal(regarding=Regarding("apps/v1", "ReplicaSet", name, name)))
    await eventually(settled(counts, 2))
    assert told_on(api) == [as_json(DEPLOYMENT)]
    assert counts.of == {"sent": 1, "aggregated": 1}


@pytest.mark.parametrize("fault", [status(403), status(404)])
async def test_without_the_right_to_look_it_stands_on_the_replica_set(api, telling, counts, fault):
    events = telling()
    api.plan(SET_PATH, "get", fault)
    for number in range(3):
        events.offer(refusal(str(number), regarding=SET))
    await eventually(settled(counts, 3))
    assert told_on(api) == [as_json(SET)] * 3
    assert len(asked(api, "get", SET_PATH)) == 1


async def test_a_replica_set_of_nobody_stands_for_itself(api, telling, counts):
    api.store.put(SETS, replica_set(controller=None))
    telling().offer(refusal(regarding=SET))
    await eventually(settled(counts, 1))
    assert told_on(api) == [as_json(SET)]


async def test_a_temporary_failure_is_tried_again_rather_than_told_elsewhere(api, telling, counts):
    api.store.put(SETS, replica_set())
    api.plan(SET_PATH, "get", status(500), status(429))
    telling().offer(refusal(regarding=SET))
    await eventually(settled(counts, 1))
    assert told_on(api) == [as_json(DEPLOYMENT)]


@pytest.mark.parametrize(
    "regarding",
    [
        JOB,
        Regarding("kubeflow.org/v1", "PyTorchJob", "train", "u"),
        Regarding("apps/v1", "StatefulSet", "db", "u"),
        Regarding("example.com/v1", "ReplicaSet", "web", "u"),
        Regarding("apps/v1", "ReplicaSet", "../../../../api/v1/secrets", "u"),
        Regarding("apps/v1", "ReplicaSet", "..", "u"),
    ],
)
async def test_everything_else_stays_and_nobody_is_asked(api, telling, counts, regarding):
    telling().offer(refusal(regarding=regarding))
    await eventually(settled(counts, 1))
    assert told_on(api) == [as_json(regarding)]
    assert len(api.writes()) == len(api.requests)
