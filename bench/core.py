"""The CPU of a review and of importing the core, beside another commit, in one run.

`python bench/core.py --against GITREF` prints medians of interleaved rounds, their ratio and its
spread. Both checkouts decide the other commit's case files, each in a process of its own, so the
reviews are the same.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS, PASSES = 15, 10
MEASURES = ("mutate", "validate", "import")

REVIEWS = """
import sys, time
from pathlib import Path
cases = Path(sys.argv[1])
sys.path[:0] = ["tests/core", "."]
import casefiles
from webhook.core.admit import admit
made = {"mutate": [], "validate": []}
casefiles.CASES = cases
for path in casefiles.paths():
    case = casefiles.read(path)
    if not isinstance(case, dict) or "pod" not in case:
        continue
    for side in made:
        asked = casefiles.request({**case, "side": side}, case["pod"])
        made[side].append((asked, casefiles.rules(case), casefiles.cluster(case)))
for line in sys.stdin:
    side, passes = line.split()
    began = time.process_time()
    for _ in range(int(passes)):
        for asked in made[side]:
            admit(*asked)
    spent = time.process_time() - began
    print(len(made[side]), spent / int(passes) / len(made[side]), flush=True)
"""
IMPORT = """
import time
began = time.process_time()
import webhook.core.admit
print(time.process_time() - began)
"""


class Checkout:
    """One commit's files, and a process that decides reviews with them."""

    def __init__(self, folder: Path, cases: Path) -> None:
        self.folder = folder
        self.reviews = subprocess.Popen(
            [sys.executable, "-c", REVIEWS, str(cases)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, what: str) -> float:
        """Return the CPU seconds of a review, or of an import."""
        if what == "import":
            code = [sys.executable, "-c", IMPORT]
            env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # compiled before, as an image is
            run = partial(subprocess.run, cwd=self.folder, env=env, text=True, check=True)
            done = run(code, stdout=subprocess.PIPE)
            return float(done.stdout)
        assert self.reviews.stdin
        assert self.reviews.stdout
        print(what, PASSES, file=self.reviews.stdin, flush=True)
        return float(self.reviews.stdout.readline().split()[1])

    def close(self) -> None:
        """End the process."""
        self.reviews.communicate()


@contextmanager
def worktree(ref: str) -> Iterator[Path]:
    """Check a commit out into a folder of its own, for as long as the context lasts."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "against"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(folder), ref], check=True)
        try:
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def main() -> None:
    """Measure both in turn and print what is left after the noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="GITREF", default="HEAD~1")
    with worktree(parser.parse_args().against) as folder:
        cases = folder / "tests" / "cases"
        ours, theirs = Checkout(ROOT, cases), Checkout(folder, cases)
        for what in MEASURES:
            pairs = [(ours.measure(what), theirs.measure(what)) for _ in range(ROUNDS)]
            ratios = sorted(mine / other for mine, other in pairs)
            mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
            spread = f"{ratios[ROUNDS // 4]:.2f} to {ratios[-ROUNDS // 4]:.2f}"
            sys.stdout.write(
                f"{what:>8}: {mine * 1e6:8.0f} us, there {other * 1e6:8.0f} us, "
                f"ratio {statistics.median(ratios):.2f} ({spread})\n"
            )
        ours.close()
        theirs.close()


if __name__ == "__main__":
    main()
