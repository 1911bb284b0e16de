"""Fixtures of the certificate tests: a fake API server, and a reconciler of it."""

from __future__ import annotations

import asyncio

import pytest
from installed import CONFIGURATIONS, OBJECTS, install
from simulation import RULES

from certs.reconciler import Reconciler
from certs.reporter import Reporter
from tests.fake_apiserver.server import FakeApiServer
from webhook.kube.client import open_client


class Heard(list):
    """A log that keeps the events with their fields."""

    def info(self, event: str, /, **fields: object) -> None:
        """Keep one."""
        self.append((event, fields))

    warning = debug = info

    @property
    def reasons(self) -> list[object]:
        """The reasons in the order in which they were logged."""
        return [fields["reason"] for _, fields in self]


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def reporter(heard):
    return Reporter(heard)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FakeApiServer() as started:
        install(started.store, *CONFIGURATIONS)
        yield started


@pytest.fixture
def store(server):
    return server.store


@pytest.fixture
def kubeconfig(server, tmp_path):
    return str(server.write_kubeconfig(tmp_path))


@pytest.fixture
def runner():
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def client(runner, kubeconfig):
    opened = open_client(kubeconfig)
    yield opened
    runner.run(opened.close())


@pytest.fixture
def reconciler(client, reporter):
    return Reconciler(client, OBJECTS, RULES, reporter)


@pytest.fixture
def reconcile(runner, reconciler):
    """Reconcile at a time that a clock tells."""
    return lambda clock: runner.run(reconciler.reconcile(clock))
