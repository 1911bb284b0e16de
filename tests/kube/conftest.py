"""Fixtures of the cluster tests: a fake API server, a connection to it, a fast runtime."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import TYPE_CHECKING

import pytest
from cluster_doubles import FAST, NODES, Clock, Log, Published
from event_doubles import QUICK, Counts
from gpu_nodes import decode
from msgspec.structs import replace

from tests.fake_apiserver.server import FakeApiServer
from webhook.kube.client import ApiClient, open_client
from webhook.kube.clock import Runtime
from webhook.kube.events.recorder import EventRecorder, EventReporter
from webhook.kube.list_watch import WatchedResource
from webhook.kube.reflector import Reflector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function in the loop of the fixture `runner`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    pyfuncitem.funcargs["runner"].run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture
def runner(no_thread_is_left: None) -> Iterator[asyncio.Runner]:
    """The loop of a test that is a coroutine function, and of the fixtures that it closes."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def client(
    runner: asyncio.Runner, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiClient]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened = open_client(str(kubeconfig))
    yield opened
    runner.run(opened.close())


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def api(no_thread_is_left: None) -> Iterator[FakeApiServer]:
    with FakeApiServer() as server:
        yield server


@pytest.fixture
def kubeconfig(api: FakeApiServer, tmp_path: Path) -> Path:
    return api.write_kubeconfig(tmp_path)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runtime(log: Log) -> Runtime:
    return Runtime(log, FAST)


@pytest.fixture
def published():
    return Published()


@pytest.fixture
def running(runner):
    """Run something as a task of the test's loop; it is cancelled after the test."""
    tasks = []

    def start(something):
        tasks.append(asyncio.get_running_loop().create_task(something.run()))
        return something

    async def end(something=None):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tasks.clear()

    start.end = end
    yield start
    runner.run(end())


@pytest.fixture
def watch(client, published, log, running):
    """Start a reflector with some of the intervals changed."""

    def start(**intervals):
        runtime = Runtime(log, replace(FAST, **intervals))
        nodes = WatchedResource("nodes", NODES, decode)
        return running(Reflector(client, nodes, publish=published, runtime=runtime))

    return start


@pytest.fixture
def counts():
    return Counts()


@pytest.fixture
def telling(client, counts, runtime, running):
    """Start what sends events, with some of its limits changed."""

    def start(instance="replica-0", **limits):
        source = EventReporter(instance, counts)
        chosen = replace(QUICK, **limits)
        return running(EventRecorder(client, source, runtime=runtime, limits=chosen))

    return start
