"""The device plugin's own parser (0.18) takes what we ship, and shows why ours is stricter.

The program is built by `make e2e`, and used here where that was done.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.cluster.build import Builder, builder
from tests.e2e.cluster.settings import NEWEST, cache_directory
from tests.e2e.cluster.toolchain import present_go
from webhook.core.pools.plugin_file import ConfigError, parse_plugin_file, sharing_of

DEPLOY = Path(__file__).parents[2] / "deploy/gpu-operator"
PROGRAM = "plugin-config"


@pytest.fixture(scope="module")
def parser() -> Path:
    """Where the program is: built by `make e2e`, which a plain run does not do."""
    if os.environ.get("GPU_SHARING_E2E_RUN"):
        return builder(NEWEST).paths([PROGRAM])[PROGRAM]
    go = present_go(cache_directory())
    found = Builder(NEWEST, cache_directory(), go).find(PROGRAM) if go else None
    if found is None:
        pytest.skip("waits for `make e2e`, which builds the plugin's parser")
    return found


def parse(parser: Path, text: str) -> tuple[bool, str]:
    """Whether the plugin takes a file, and what it understood or says against it."""
    done = subprocess.run([parser], input=text, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout or done.stderr


def shipped() -> list[str]:
    values = yaml.load((DEPLOY / "values.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    chart = yaml.load(
        (DEPLOY / "device-plugin-values.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
    )
    return [*values["devicePlugin"]["config"]["data"].values(), *chart["config"]["map"].values()]


@pytest.mark.parametrize("text", shipped())
def test_the_plugin_understands_what_we_ship_as_we_do(parser: Path, text: str) -> None:
    taken, told = parse(parser, text)
    assert taken, told
    understood = json.loads(told)
    assert understood["flags"]["migStrategy"] == parse_plugin_file(text).flags.mig_strategy
    sharing = sharing_of(parse_plugin_file(text))
    rules = understood["sharing"].get({"mps": "mps"}.get(sharing.strategy, "timeSlicing"))
    if sharing.replicas == 1:
        assert not any(each and each["resources"] for each in understood["sharing"].values())
    else:
        assert [each["replicas"] for each in rules["resources"]] == [sharing.replicas]
        assert rules["renameByDefault"] is True


ONE = {"resources": [{"name": "nvidia.com/gpu", "replicas": 4}]}


@pytest.mark.parametrize(
    ("sharing", "taken"),
    [
        ({"mps": {"memoryLimit": "4Gi", **ONE}}, True),  # swallowed: why we are stricter
        ({"mps": ONE, "timeSlicing": ONE}, True),  # mps wins without a word
        ({"timeSlicing": {"resources": [{"name": "nvidia.com/gpu", "replicas": 1}]}}, False),
        ({"timeSlicing": {}}, False),
        ({"timeSlicing": {"resources": []}}, False),
    ],
)
def test_what_the_plugin_swallows_we_refuse(
    parser: Path, sharing: dict[str, object], *, taken: bool
) -> None:
    text = yaml.safe_dump({"version": "v1", "sharing": sharing})
    assert parse(parser, text)[0] is taken
    with pytest.raises(ConfigError):
        parse_plugin_file(text)
