"""Each row of a table is used: an entry that somebody forgot is named here."""

from pathlib import Path
from typing import Any

import casefiles
import pytest

from webhook.cli.text import Text
from webhook.core.api.pod import EnvVar
from webhook.core.checks.cel import VARIABLES
from webhook.core.checks.check import PodCondition
from webhook.core.checks.registry import CHECKS
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.strategies import Strategy, StrategyTraits

CASES = Path(__file__).parents[1] / "cases"
PLATFORMS = Path(__file__).parents[2] / "docs/platforms.md"


def test_each_check_has_a_case() -> None:
    texts = [path.read_text(encoding="utf-8") for path in CASES.rglob("*.yaml")]
    codes = [each.reason.code for each in CHECKS]
    without = [code for code in codes if not any(code in text for text in texts)]
    assert without == [], "a file in tests/cases that expects the reason of each"


def test_each_check_has_cel_for_what_its_rule_finds() -> None:
    conditions = {each.reason.code: each.backstop.when or each.webhook for each in CHECKS}
    assert [code for code, each in conditions.items() if each == PodCondition()] == []


def test_variables_that_a_check_looks_at_begin_as_all_do() -> None:
    looked_at = {each.reason.code: each.webhook.environment for each in CHECKS}
    wrong = [c for c, cel in looked_at.items() if cel and not any(v in cel for v in VARIABLES)]
    assert wrong == [], "no rule sees other variables: VARIABLES of webhook/core/checks/cel.py"


def _labels(name: str, short: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = casefiles.expand(name, short)["metadata"]["labels"]
    return labels


def test_every_dialect_has_a_node_in_the_cases() -> None:
    library = casefiles.read(casefiles.CASES / "nodes.yaml")
    spoken = [
        {each.name for each in DIALECTS if each.is_spoken(_labels(name, short))}
        for name, short in library.items()
    ]
    assert {name for names in spoken for name in names} == {each.name for each in DIALECTS}


def test_every_dialect_is_on_the_page_of_platforms() -> None:
    page = PLATFORMS.read_text(encoding="utf-8")
    assert [each.name for each in DIALECTS if each.name not in page] == []


def test_every_strategy_has_a_reason_of_its_own_and_a_case_that_gives_it() -> None:
    assert len({each.traits.reason for each in Strategy}) == len(Strategy)
    given = {casefiles.read(path)["expect"].get("strategy") for path in casefiles.paths()}
    assert [each.value for each in Strategy if each not in given] == []


@pytest.mark.parametrize("traits", [each.traits for each in Strategy], ids=list(Strategy))
def test_what_a_strategy_says_can_be_shown(traits: StrategyTraits) -> None:
    assert Text((traits.meaning, traits.colour)).coloured()
    traits.warning.format(size="", profile="", more="")


LIMITS = [each.traits.memory_limit for each in Strategy if each.traits.memory_limit]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_no_pod_writes_anything_into_the_variable_that_limits_its_memory(limit: EnvVar) -> None:
    assert "{}" in (limit.value or "")
    main = {"name": "main", "env": [{"name": limit.name, "value": "more"}]}
    verdict = casefiles.answer({"side": "validate"}, {"spec": {"containers": [main]}})
    assert not verdict.allowed, "no check refuses it; see webhook/core/checks/mps_environment.py"
