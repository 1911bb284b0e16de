"""The notes of a release: its part of the CHANGELOG."""

import re


def release_notes(changelog: str, version: str) -> str:
    """Return the text below `## VERSION`, or below `## Unreleased` where that is not there.

    Raises ValueError where neither heading has a text.
    """
    parts = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    texts = {part.split("\n", 1)[0].split()[0]: part.partition("\n")[2].strip() for part in parts}
    found = texts.get(version) or texts.get("Unreleased")
    if not found:
        raise ValueError(f"CHANGELOG.md says nothing under '## {version}' or '## Unreleased'")
    return found + "\n"
