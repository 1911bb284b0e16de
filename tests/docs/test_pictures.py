"""The pictures of the docs show what the commands show today."""

import re
from pathlib import Path

import pytest

from examples.record import ROOT, SCREENS, write_screen


def words(path: Path) -> list[str]:
    """The text of a picture."""
    return re.findall(r">([^<>]+)<", path.read_text())


@pytest.mark.parametrize("name", SCREENS)
def test_a_picture_is_that_of_its_command(name: str, tmp_path: Path) -> None:
    write_screen(SCREENS[name], tmp_path / f"{name}.svg")
    same = words(tmp_path / f"{name}.svg") == words(ROOT / f"docs/{name}.svg")
    assert same, f"docs/{name}.svg is stale: make pictures"
