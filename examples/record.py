"""Pictures of the real commands for the docs: docs/demo.cast for asciinema, and SVG screens."""

import json
import os
import pty
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
WIDTH, HEIGHT = 80, 24
REVIEW: Final = ("review", "-f", "examples/inference.yaml", "-f", "examples/tenant-shared.yaml")
INVENTORY: Final = ("--inventory", "examples/inventory.yaml")
CAST: Final = ("python", "-m", "examples.demo")
SCREENS: Final = {
    "review": ("gpu-sharing", *REVIEW, *INVENTORY),
    "diff": ("gpu-sharing", *REVIEW[:3], *INVENTORY, "-o", "diff"),
    "policy": ("gpu-sharing", "policy"),
}
# As rich's own, but without fonts of a server elsewhere.
SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" class="rich-terminal">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, monospace; \
line-height: {line_height}px; }}
.{unique_id}-title {{ font: 18px sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" \
clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def run(command: tuple[str, ...]) -> list[tuple[float, str]]:
    """Run a command in a terminal; what it wrote, each part with its second."""
    program = str(Path(sys.executable).with_name(command[0]))
    size = {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT), "TERM": "xterm-256color"}
    above, below = pty.openpty()
    started, parts = time.monotonic(), []
    process = subprocess.Popen(
        [program, *command[1:]], stdout=below, stderr=below, cwd=ROOT, env=os.environ | size
    )
    os.close(below)
    while part := read(above):
        parts.append((round(time.monotonic() - started, 2), part))
    os.close(above)
    process.wait()
    return parts


def read(terminal: int) -> str:
    """What comes next, empty at the end."""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # what Linux says at the end of a terminal
        return ""


def write_cast(command: tuple[str, ...], shown: str, path: Path) -> None:
    """Write a recording as asciinema reads it, version 2."""
    header = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": shown}
    lines = [[0, "o", f"$ {shown}\r\n"], *([second, "o", text] for second, text in run(command))]
    path.write_text("\n".join(json.dumps(each) for each in (header, *lines)) + "\n")


def write_screen(command: tuple[str, ...], path: Path) -> None:
    """Write what a command shows as a picture."""
    console = Console(record=True, width=WIDTH, file=StringIO())
    text = "".join(part for _, part in run(command)).replace("\r\n", "\n")
    shown = " ".join(command).replace("-f ", "\\\n    -f ", 2).replace("--inv", "\\\n    --inv")
    console.print(Text(f"$ {shown}", "bold"))
    console.print(Text.from_ansi(text))
    path.write_text(
        console.export_svg(code_format=SVG, title=path.stem, theme=MONOKAI, unique_id=path.stem)
    )


def main() -> None:
    """Write all of them anew."""
    write_cast(CAST, "make demo", ROOT / "docs/demo.cast")
    for name, command in SCREENS.items():
        write_screen(command, ROOT / f"docs/{name}.svg")


if __name__ == "__main__":
    main()
