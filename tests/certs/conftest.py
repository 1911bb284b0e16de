"""Fixtures of the certificate tests: a stand-in API server over HTTP and keepers of it."""

from __future__ import annotations

import pytest
from certs_api import ObjectStore, listening
from simulation import PLACE, RULES

from certs.client import connect
from certs.keeper import Keeper


class Heard(list):
    """The events that were told, each with its fields."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Keep one."""
        self.append((event, fields))

    @property
    def reasons(self) -> list[object]:
        """The reasons in the order in which they were told."""
        return [fields["reason"] for _, fields in self]


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def store():
    made = ObjectStore()
    made.install()
    return made


@pytest.fixture
def kubeconfig(store, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = tmp_path / "kubeconfig"
    with listening(store) as url:
        path.write_text(
            "current-context: here\n"
            f"clusters: [{{name: fake, cluster: {{server: '{url}'}}}}]\n"
            "users: [{name: we, user: {token: secret}}]\n"
            "contexts: [{name: here, context: {cluster: fake, user: we}}]\n"
        )
        yield str(path)


@pytest.fixture
def api(kubeconfig):
    return connect(kubeconfig)


@pytest.fixture
def keeper(api, heard):
    return Keeper(api, PLACE, RULES, heard)
