"""What a pod's author writes never drives the terminal of who reads it, and is no markup."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import INVENTORY, Run

ESCAPE = (
    "\x1b]0;title\x07\x1b[31mRED\x9b2J\u202e[bold red]markup[/bold red][link=https://evil]l[/link]"
)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": f"x{ESCAPE}",
        "labels": {"gpu-sharing.io/workload": f"dev{ESCAPE}"},
        "annotations": {"gpu-sharing.io/gpu-memory": f"{ESCAPE}lots"},
    },
    "spec": {
        "nodeSelector": {f"a{ESCAPE}": f"b{ESCAPE}"},
        "volumes": [{"name": ESCAPE, "hostPath": {"path": f"/dev/{ESCAPE}"}}],
        "containers": [{"name": f"main{ESCAPE}", "resources": {"limits": {"nvidia.com/gpu": "1"}}}],
    },
}
FINE = POD | {"metadata": {"name": f"y{ESCAPE}", "labels": {"gpu-sharing.io/workload": "training"}}}


@pytest.mark.parametrize("chosen", ["table", "json", "yaml", "diff"])
@pytest.mark.parametrize("pod", [POD, FINE], ids=["malformed", "unserved"])
def test_review_prints_no_escape_and_obeys_no_markup(
    run: Run, tmp_path: Path, pod: dict[str, Any], chosen: str
) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text(yaml.safe_dump(pod))
    done = run("review", "-f", str(path), "--inventory", INVENTORY, "-o", chosen)
    shown = done.out + done.err
    assert [c for c in shown if not c.isprintable() and c != "\n"] == []
    assert "[bold red]" in shown
