"""Without the program, the tests here wait for `make e2e`."""

from collections.abc import Iterator

import pytest

from tests.cel.evaluator import available


@pytest.fixture(scope="session", autouse=True)
def program() -> Iterator[None]:
    """Skip with the reason if the program cannot run."""
    reason = available()
    if reason:
        pytest.skip(reason)
    yield
