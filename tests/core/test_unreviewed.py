"""Which pods count as running with a GPU that nobody decided."""

from typing import Any

import msgspec
import pytest

from webhook.core.api import names
from webhook.core.unreviewed import Seen, is_unreviewed

GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}}}
ZERO = {"resources": {"limits": {"nvidia.com/gpu": "0"}}}
SLICE = {"resources": {"limits": {"nvidia.com/mig-1g.5gb.shared": 1}}}
OTHER = {"resources": {"limits": {"nvidia.com/gpumem": "1", "cpu": "1"}}}
DECIDED = {"annotations": {names.DECISION: "{}"}}
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def pod(*containers: Any, init: Any = None, phase: str = "Running", **metadata: Any) -> Any:
    spec = {"containers": [{"name": "main"}, *containers], "initContainers": init}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("seen", "unreviewed"),
    [
        (pod(GPU), True),
        (pod(GPU, phase="Pending"), True),
        (pod(GPU, phase="Unknown"), True),
        (pod(GPU, phase="Succeeded"), False),
        (pod(GPU, phase="Failed"), False),
        (pod(GPU, **GOING), False),
        (pod(GPU, **DECIDED), False),
        (pod(GPU, annotations={"other": "x"}), True),
        (pod(init=[GPU]), True),
        (pod(SLICE), True),
        (pod(), False),
        (pod(OTHER), False),
        (pod(ZERO), False),
        (pod({"resources": {"limits": {"nvidia.com/gpu": None}}}), False),
        ({"metadata": {"name": "bare"}}, False),
    ],
)
def test_the_truth_table(seen: Any, *, unreviewed: bool) -> None:
    assert is_unreviewed(msgspec.convert(seen, Seen)) is unreviewed
