"""What a review costs is held: counted in calls and modules, which no load changes.

A limit is a tenth above what it was when it was written. Where a change is worth more, raise it to
a tenth above the new count, and say in the commit what the change gives for that.
"""

import subprocess
import sys

import pytest
from memo_server import POD, Server, changed, renamed
from test_hostile import calls_of

CALLS = {"/mutate": 368, "/validate": 354}
"""Of Python functions, for a decision on a pod of one container, with its log line."""
KEPT = 116
"""The same for an answer that is kept."""
MODULES = 785
"""What `gpu-sharing serve` has imported before it reads a file."""


@pytest.mark.parametrize("path", CALLS)
def test_a_review_takes_few_calls(path: str) -> None:
    server = Server()
    server.review(POD, path)
    other = changed(lambda pod: pod["spec"]["containers"][0].update(image="other"))
    fresh = calls_of(lambda: server.review(other, path))
    kept = calls_of(lambda: server.review(renamed(POD), path))
    assert (fresh < CALLS[path], kept < KEPT) == (True, True), (fresh, kept)


def test_the_server_imports_few_modules() -> None:
    code = "import sys, webhook.cli.verbs.serve; print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < MODULES
