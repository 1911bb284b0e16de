"""/policy: a wrong policy is refused before it is stored, and what is doubtful is warned of."""

import json
from typing import Any

import pytest
from webhook_process import Json, Webhook, question, until, webhook_running

HEAD = "apiVersion: gpu-sharing.io/v1\nkind: Policy\n"
KIND = {"group": "", "version": "v1", "kind": "ConfigMap"}
WRONG = HEAD + "matrix: {dev: {strategy: mps}}\n"


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with webhook_running(tmp_path_factory.mktemp("policy")) as running:
        yield running


def config_map(text: str | None, key: str = "policy.yaml") -> Json:
    data = {} if text is None else {key: text}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p"}, "data": data}


def judge(webhook: Webhook, new: Json, old: Json | None = None) -> Json:
    asked = question(new, kind=KIND, oldObject=old)
    return webhook.review("/policy", asked)


def test_a_right_policy_is_allowed(webhook: Webhook) -> None:
    answer = judge(webhook, config_map(HEAD))
    assert answer["allowed"]
    assert "warnings" not in answer


def test_a_wrong_one_is_refused_with_line_and_path(webhook: Webhook) -> None:
    answer = judge(webhook, config_map(WRONG), config_map(HEAD))
    assert not answer["allowed"]
    assert answer["status"]["code"] == 422
    told = answer["status"]["message"]
    assert told.startswith("policy.yaml: line 3, matrix.dev.strategy: ")
    assert "did you mean `strategies`?" in told
    assert webhook.log("change_refused")[-1]["level"] == "warning"


@pytest.mark.parametrize("new", [config_map(None), config_map(HEAD, "policy.yml"), {"data": [1]}])
def test_a_config_map_without_the_policy_is_refused(webhook: Webhook, new: Json) -> None:
    answer = judge(webhook, new, config_map(HEAD))
    assert "expected the policy under the key policy.yaml" in answer["status"]["message"]


def test_what_is_doubtful_is_warned_of(webhook: Webhook) -> None:
    text = HEAD + "matrix: {inference: {strategies: [{strategy: mig, on: [A1000]}]}}\n"
    answer = judge(webhook, config_map(text))
    assert answer["allowed"]
    [warning] = answer["warnings"]
    assert "did you mean A100?" in warning


def test_one_that_is_wrong_already_can_be_labelled(webhook: Webhook) -> None:
    assert judge(webhook, config_map(WRONG), config_map(WRONG))["allowed"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"apiVersion":"v1","kind":"Pod"}'])
def test_what_is_no_review_is_a_400(webhook: Webhook, body: bytes) -> None:
    assert webhook.post("/policy", body).status == 400


def test_policies_take_their_share_of_the_time_and_no_more(webhook: Webhook) -> None:
    large = HEAD + "".join(f"# {number}\n" for number in range(100_000))
    asked = json.dumps(question(config_map(large), kind=KIND)).encode()
    assert any(webhook.post("/policy", asked).status == 503 for _ in range(2000))
    until(lambda: webhook.post("/policy", asked).status == 200)
