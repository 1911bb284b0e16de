"""No test trusts the machine: not its certificate authorities, nor its speed or luck."""

import os

from hypothesis import settings

# Each context would read them all, 0.05 s; and the processes that tests start do it too.
os.environ["SSL_CERT_FILE"] = os.devnull
os.environ["SSL_CERT_DIR"] = os.devnull

settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")
