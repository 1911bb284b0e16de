"""Every policy of the pages is one that the webhook takes, and that means what it says."""

from pathlib import Path

import pytest
from pages import PAGES, ROOT, tokens

from webhook.cli import loaders
from webhook.core.policy import mistakes

COOKBOOK = ROOT / "docs/cookbook.md"
START = "apiVersion: gpu-sharing.io/v1\nkind: Pol"


def policies(page: Path) -> list[str]:
    """The blocks of a page that are whole policies."""
    if START not in page.read_text(encoding="utf-8"):  # which takes less to see than the tokens
        return []
    blocks = [each.content for each in tokens(page) if each.type == "fence"]
    return [text for text in blocks if text.startswith(START)]


FOUND = [
    pytest.param(text, id=f"{p.name}-{n}") for p in PAGES for n, text in enumerate(policies(p))
]


@pytest.mark.parametrize("text", FOUND)
def test_a_policy_of_a_page_is_right(text: str) -> None:
    policy = loaders.parse_policy(text)
    assert list(mistakes.doubtful(policy)) == []
    assert policy != loaders.load_policy(None)


def test_the_cookbook_has_policies() -> None:
    headings = sum(line.startswith("## ") for line in COOKBOOK.read_text().splitlines())
    assert len(policies(COOKBOOK)) == headings
