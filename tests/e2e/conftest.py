"""One cluster and one installation for all tests of this folder; both end with the session."""

import re
from collections.abc import Iterator

import pytest

from tests.e2e import cluster
from tests.e2e.cluster.cluster import FULL
from tests.e2e.installation import Installed, install
from tests.e2e.user import MODE, User

KIND = pytest.StashKey[str]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which of the two clusters it was."""
    terminalreporter.write_line(config.stash.get(KIND, "no cluster was started"))


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Iterator[Installed]:
    """The webhook, installed and guarding."""
    with cluster.running() as made:
        why = f" ({made.node_reason})" if made.node_reason else ""
        pytestconfig.stash[KIND] = f"real Kubernetes: {made.node_kind}{why}"
        yield install(made)


@pytest.fixture
def user(installed: Installed) -> User:
    """Somebody with kubectl."""
    return installed.user


@pytest.fixture
def pods_only(installed: Installed) -> None:
    """Skip what needs the webhook to run as pods."""
    if installed.cluster.node_kind != FULL:
        pytest.skip(f"the webhook runs as processes here: {installed.cluster.node_reason}")


@pytest.fixture
def team(user: User, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own that opted in."""
    name = re.sub("[^a-z0-9]+", "-", f"t-{request.node.name}".lower())[:52].strip("-")
    yield user.namespace(name, {MODE: "enforce"})
    user.kubectl("delete", "namespace", name, "--wait=false")
