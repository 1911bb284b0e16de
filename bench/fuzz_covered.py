"""Inputs that coverage finds, to the doors of `bench.fuzz`: libFuzzer keeps what reaches new code.

    uv pip install --group fuzz
    python -m bench.fuzz_covered /mutate --runs 100000 --corpus build/fuzz

Every other change of an input is one of `bench.fuzz`, which keeps JSON whole more often than those
of libFuzzer. Without a door all are sent to, one after the other. What was answered wrongly is
written to a file and belongs to tests/cases or to the tests of that door. The next run goes on from
the corpus, which begins with the right inputs of the door.
"""

import argparse
import hashlib
import random
import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["webhook"]):
    from bench import fuzz

MOST_BYTES = 8192


def change(data: bytes, most: int, seed: int) -> bytes:
    """One of the changes of libFuzzer or of `bench.fuzz`."""
    chance = random.Random(seed)  # noqa: S311 - the same each time is what is wanted
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, most))
    return fuzz.changed(data, chance)[:most]


def send(name: str, runs: int, corpus: Path) -> None:
    """Send so many inputs to one door; ends the process."""
    seeds, door = fuzz.doors()[name]
    kept = corpus / name.strip("/")
    kept.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (kept / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    # `fuzz.check` bounds the CPU; this is the clock, which at idle priority goes on without us.
    bounds = (f"-max_len={MOST_BYTES}", "-timeout=600", "-rss_limit_mb=512")
    flags = (f"-runs={runs}", *bounds, "-print_final_stats=1")
    atheris.Setup(
        [sys.argv[0], *flags, f"-artifact_prefix={corpus}/", str(kept)],
        lambda data: fuzz.check(name, door, data) and None,
        custom_mutator=change,
    )
    atheris.Fuzz()


def main() -> None:
    """Send to one door, or start a process for each."""
    names = tuple(fuzz.doors())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("door", nargs="?", choices=names)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--corpus", type=Path, default=Path("build/fuzz"))
    asked = parser.parse_args()
    if asked.door:
        send(asked.door, asked.runs, asked.corpus)
    for name in names:
        rest = ("--runs", str(asked.runs), "--corpus", str(asked.corpus))
        subprocess.run([sys.executable, "-m", "bench.fuzz_covered", name, *rest], check=True)


if __name__ == "__main__":
    main()
