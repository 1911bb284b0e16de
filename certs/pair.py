"""`python -m certs pair`: certificates for a webhook that is run by hand."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from errno import EEXIST
from pathlib import Path
from typing import Final

from certs import pki
from webhook.process.flags import WRONG_SETTINGS

AUTHORITY, CERT, KEY = "ca.crt", "tls.crt", "tls.key"
NAMES: Final = ("localhost", "127.0.0.1", "::1")
EPILOG: Final = f"""\
{AUTHORITY} verifies the server, for curl's --cacert or, in base64, a caBundle.
The certificate is good for {pki.LEAF_LIFE.days} days; the CA's key is not kept. Files that are
there are not replaced.

exit codes: 0 written, 2 the files cannot be written

example:
  python -m certs pair certificates
  gpu-sharing serve --inventory nodes.json \\
    --tls-cert certificates/{CERT} --tls-key certificates/{KEY}
"""


def run_pair(arguments: Sequence[str]) -> int:
    """Write the files and print where they are, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m certs pair",
        description=f"Write {CERT} and {KEY} for `gpu-sharing serve`, and the {AUTHORITY} of both.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="made where it is not there")
    told = f"DNS names and addresses of the server (default {' '.join(NAMES)})"
    parser.add_argument("names", metavar="NAME", nargs="*", default=NAMES, help=told)
    parsed = parser.parse_args(arguments)
    try:
        write_pair(parsed.folder, parsed.names)
    except (OSError, ValueError) as error:
        text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        print(f"error: {text}", file=sys.stderr)  # noqa: T201 - the command's output
        return WRONG_SETTINGS
    for name in (AUTHORITY, CERT, KEY):
        print(parsed.folder / name)  # noqa: T201 - the command's output
    return 0


def write_pair(folder: Path, names: Sequence[str], mode: str = "xb") -> None:
    """Write a certificate for names, its key and its CA. Raises OSError, ValueError for a name."""
    now = datetime.now(UTC)
    ca = pki.issue_ca(now)
    leaf = pki.issue_leaf(ca, tuple(names), now)
    folder.mkdir(parents=True, exist_ok=True)
    there = [each for each in (KEY, CERT, AUTHORITY) if (folder / each).exists()]
    if there and "x" in mode:  # before any is written: a key without its CA helps nobody
        raise FileExistsError(EEXIST, os.strerror(EEXIST), str(folder / there[0]))
    for name, content in ((KEY, leaf.key), (CERT, leaf.cert), (AUTHORITY, ca.cert)):
        with (folder / name).open(mode) as file:
            (folder / name).chmod(0o600 if name == KEY else 0o644)
            file.write(content)
