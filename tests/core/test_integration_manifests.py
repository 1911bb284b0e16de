"""Manifests of each integration, and what becomes of their pods.

A folder below tests/core/integrations is named as its module.
"""

import os
from pathlib import Path

import pytest
import test_corpus
from test_corpus import COLUMNS, UPDATE, context  # noqa: F401 - a fixture

from webhook.cli import evaluate, manifests
from webhook.cli.evaluate import Context, Evaluation
from webhook.core import advice
from webhook.core.api.admission import AdmissionRequest, Mode, Side

FOLDERS = sorted(path for path in (Path(__file__).parent / "integrations").iterdir())
OUTCOMES = "outcomes.tsv"
EACH = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def results(folder: Path, context: Context) -> list[Evaluation]:  # noqa: F811 - the fixture's value
    found = []
    for each in manifests.read_manifests([str(folder)]):
        assert isinstance(each, manifests.Manifest), each
        found += list(evaluate.evaluate(each, context))
    assert all(isinstance(each, Evaluation) for each in found), found
    return found


@EACH
def test_each_template_is_reviewed_at_its_path(folder: Path, context: Context) -> None:  # noqa: F811
    lines = ["\t".join(COLUMNS), *map(test_corpus.line, results(folder, context))]
    if os.environ.get("UPDATE_OUTCOMES"):
        (folder / OUTCOMES).write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert (folder / OUTCOMES).read_text(encoding="utf-8").splitlines() == lines, UPDATE


@EACH
def test_advice_names_each_template_that_is_refused(folder: Path, context: Context) -> None:  # noqa: F811
    refused = [each for each in results(folder, context) if not each.verdict.allowed]
    asked = AdmissionRequest(Side.MUTATE, Mode.ENFORCE, "uid", "CREATE", "team")
    for each in refused:
        told = advice.advise(asked, each.found.value, context.policy, context.inventory)
        kind, path = each.found.value["kind"], each.template.path
        assert any(f"this {kind} ({path}) would be refused" in text for text in told.warnings)
