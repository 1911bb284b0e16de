"""The versions that were tested, as pip takes them for a constraint."""

import re


def locked_versions(requirements: str) -> str:
    """Return the `NAME==VERSION` lines of a lock file, without its hashes and markers."""
    found = re.findall(r"^([A-Za-z0-9._-]+==[^ ;\\\n]+)", requirements, re.MULTILINE)
    return "\n".join(found) + "\n"
