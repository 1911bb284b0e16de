"""No test trusts the machine: not its certificate authorities, nor its speed or luck."""

import gc
import os

from hypothesis import settings

# Each context would read them all, 0.05 s; and the processes that tests start do it too.
os.environ["SSL_CERT_FILE"] = os.devnull
os.environ["SSL_CERT_DIR"] = os.devnull

settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")

gc.disable()  # what is collected stays: looking through it again and again took a third of the time


def pytest_collection_finish() -> None:
    """Tests look for garbage in what they make, not in modules and five thousand tests."""
    gc.freeze()
    gc.enable()
