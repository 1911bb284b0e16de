"""Without the program, the tests here wait for `make e2e`."""

import pytest

from tests.cel.evaluator import available


@pytest.fixture(scope="session", autouse=True)
def program() -> None:
    """Skip with the reason if the program cannot run."""
    reason = available()
    if reason:
        pytest.skip(reason)
