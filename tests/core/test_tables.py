"""Each row of a table is used: an entry that somebody forgot is named here."""

from pathlib import Path

from webhook.core.checks.registry import CHECKS

CASES = Path(__file__).parents[1] / "cases"


def test_each_check_has_a_case() -> None:
    """Names the checks whose code no file of tests/cases has."""
    texts = [path.read_text(encoding="utf-8") for path in CASES.rglob("*.yaml")]
    codes = [each.reason.code for each in CHECKS]
    assert [code for code in codes if not any(code in text for text in texts)] == []
