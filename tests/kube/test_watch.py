"""The state machine of list and watch, without a server."""

import json

import pytest
from gpu_nodes import Node, decode, gpu_node, plain_node

from webhook.kube.errors import ApiError
from webhook.kube.list_watch import ListWatch, WatchedResource

SOURCE = WatchedResource("nodes", "/api/v1/nodes", decode, label_selector="gpu")
UNREADABLE = {"metadata": {"name": "bad", "resourceVersion": "9"}, "status": []}


def page(*items: dict, version: str = "5", following: str = "") -> bytes:
    return json.dumps(
        {"metadata": {"resourceVersion": version, "continue": following}, "items": items}
    ).encode()


def line(kind: str, item: dict, version: str = "6") -> bytes:
    item = {**item, "metadata": {**item.get("metadata", {}), "resourceVersion": version}}
    return json.dumps({"type": kind, "object": item}).encode()


def listed(*items: dict) -> ListWatch[Node]:
    driver = ListWatch(SOURCE, watch_seconds=300)
    list(driver.take_page(page(*items)))
    return driver


def test_a_new_driver_asks_for_the_first_page():
    assert ListWatch(SOURCE).list_params() == {"limit": "100", "labelSelector": "gpu"}


def test_pages_become_items_with_the_last_one():
    driver = listed(gpu_node("old"))
    driver.relist()
    list(driver.take_page(page(gpu_node("a"), following="next")))
    assert driver.list_params()["continue"] == "next"
    assert set(driver.items) == {"old"}
    assert any(each.changed for each in driver.take_page(page(gpu_node("b"), version="7")))
    assert set(driver.items) == {"a", "b"}
    assert driver.watch_params() == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "300",
        "resourceVersion": "7",
        "labelSelector": "gpu",
    }


def test_events_change_the_items_and_the_version():
    driver = listed()
    assert driver.take_event(line("ADDED", gpu_node("a"), "11")).changed
    assert driver.take_event(line("MODIFIED", gpu_node("a", gpus=4), "12")).changed
    assert driver.items == {"a": Node("T4", 4)}
    assert driver.take_event(line("DELETED", gpu_node("a"), "13")).changed
    assert driver.items == {}
    assert not driver.take_event(line("BOOKMARK", {}, "14")).changed
    assert driver.watch_params()["resourceVersion"] == "14"


def test_an_event_that_changes_nothing_we_read_is_no_change():
    driver = listed(gpu_node("a"))
    heartbeat = {**gpu_node("a"), "spec": {"podCIDR": "10.0.0.0/24"}}
    assert not driver.take_event(line("MODIFIED", heartbeat)).changed


def test_an_item_that_does_not_matter_is_told_apart_from_a_deleted_one():
    driver = listed(gpu_node("a"))
    assert driver.take_event(line("MODIFIED", plain_node("a"))).changed
    assert driver.items == {"a": None}
    assert driver.take_event(line("DELETED", plain_node("a"))).changed
    assert driver.items == {}


def test_an_unreadable_object_is_skipped_and_named():
    driver = ListWatch(SOURCE)
    _, *heard = driver.take_page(page(gpu_node("a"), UNREADABLE, {"kind": "Node"}))
    assert set(driver.items) == {"a"}
    assert heard[0].skipped[0].startswith("bad: ")
    assert heard[1].skipped[0].startswith("object without a name: ")


def test_an_object_that_turned_unreadable_keeps_its_last_value():
    driver = listed(gpu_node("bad"))
    heard = driver.take_event(line("MODIFIED", UNREADABLE))
    assert not heard.changed
    assert heard.skipped[0].startswith("bad: ")
    driver.relist()
    list(driver.take_page(page(UNREADABLE)))
    assert driver.items == {"bad": Node("T4", 1)}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b'{"type":"ERROR","object":{"code":410,"message":"too old"}}', 410),
        (b'{"type":"ERROR","object":{}}', None),
        (b'{"type":"ADDED","object":{"metadata":{"name":"x"}}}', None),
        (b'{"type":"DELETED","object":{"metadata":{"resourceVersion":"11"}}}', None),
        (b'{"type":"ADD', None),
        (b"null", None),
    ],
)
def test_an_error_or_a_line_that_is_no_event_leads_to_a_new_list(text: bytes, status: int | None):
    driver = listed(gpu_node("a"))
    with pytest.raises(ApiError) as caught:
        driver.take_event(text)
    assert caught.value.status == status
    assert not driver.watching
    assert set(driver.items) == {"a"}


def test_an_event_of_an_unknown_type_is_skipped():
    assert listed().take_event(line("RENAMED", gpu_node("a"))).skipped


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"metadata":{"resourceVersion":""}}'])
def test_an_answer_that_is_no_list_is_a_failure(body: bytes):
    with pytest.raises(ApiError, match="unreadable answer"):
        list(ListWatch(SOURCE).take_page(body))


@pytest.mark.parametrize("status", [None, 429])
def test_a_failure_that_loses_nothing_lets_the_watch_go_on(status: int | None):
    driver = listed()
    driver.take_failure(ApiError(status, "no"))
    assert driver.watching


@pytest.mark.parametrize("status", [400, 403, 410, 500, 504])
def test_any_other_answer_is_doubt_and_leads_to_a_new_list(status: int):
    driver = listed()
    driver.take_failure(ApiError(status, "no"))
    assert not driver.watching


def test_a_failure_between_pages_starts_the_list_again():
    driver = ListWatch(SOURCE)
    list(driver.take_page(page(gpu_node("gone"), following="next")))
    driver.take_failure(ApiError(410, "the token expired"))
    assert "continue" not in driver.list_params()
    list(driver.take_page(page(gpu_node("a"))))
    assert set(driver.items) == {"a"}
