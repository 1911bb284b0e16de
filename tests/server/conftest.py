"""One server for all tests that leave it as it was; tests that need their own start it."""

from collections.abc import Iterator

import pytest
from serving import make_pair, serving
from webhook_process import Webhook, webhook_running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    """Serve one certificate with small limits; module-scoped, since a start takes 0.3 s."""
    directory = tmp_path_factory.mktemp("server")
    with serving(directory, make_pair(directory, "first"), max_body=100_000, linger=0.3) as running:
        yield running


@pytest.fixture
def pair(tmp_path):
    """Write the pair of a server of the test's own."""
    return make_pair(tmp_path / "pair", "first")


@pytest.fixture
def own(tmp_path, pair):
    """Give what starts a server with limits of the test's own choice."""

    def start(**limits: float):
        return serving(tmp_path, pair, **limits)

    return start


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """One process for a module that changes none of its files: whatever it gets, it goes on."""
    with webhook_running(tmp_path_factory.mktemp("webhook")) as running:
        yield running
