"""No test trusts the machine: not its certificate authorities, nor its speed or luck."""

import gc
import os

import pytest
from hypothesis import settings

# Each context would read them all, 0.05 s; and the processes that tests start do it too.
os.environ["SSL_CERT_FILE"] = os.devnull
os.environ["SSL_CERT_DIR"] = os.devnull

settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")

gc.disable()  # what is collected stays: looking through it again and again took a third of the time


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop where `make generate` was forgotten: hundreds of tests would fail of it."""
    if hasattr(session.config, "workerinput"):
        return  # whoever started it has looked
    from deploy.generate.__main__ import ROOT, stale_files  # noqa: PLC0415 - once, not in workers

    if stale := [str(path.relative_to(ROOT)) for path, _ in stale_files()]:
        pytest.exit(f"run `make generate`, which writes {', '.join(stale)} anew", 1)


def pytest_collection_finish() -> None:
    """Tests look for garbage in what they make, not in modules and five thousand tests."""
    gc.freeze()
    gc.enable()
