"""Real manifests: each is decided without an error, and the outcomes are checked in.

After a change that is meant read the difference of corpus-outcomes.tsv; keep docs/corpus.md true.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import casefiles
import corpus_count
import msgspec
import pytest

from webhook.cli import evaluate, loaders, manifests
from webhook.cli.evaluate import Context, Evaluation
from webhook.cli.verbs.review.render import record_of
from webhook.core import mentions
from webhook.core.api.node import Node
from webhook.core.integrations import registry

SHARED = Path(__file__).parents[3] / "shared"
CORPUS = SHARED / "corpus"
CASE_MANIFESTS = SHARED / "cases" / "manifests"
AMOUNT = re.compile(r"nvidia\.com/(gpu|mig-[\w.]+)'?: *'?[\d$]")
UPDATE = "if it is meant: UPDATE_OUTCOMES=1 .venv/bin/python -m pytest tests/core -k manifest"
OUTCOMES = Path(__file__).parent / "corpus-outcomes.tsv"
COLUMNS = ("source", "template", "workload", "allowed", "reason", "containers")

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the corpus of real manifests is not beside the checkout: {CORPUS}"
)


@pytest.fixture(scope="module")
def context() -> Context:
    library = casefiles.read(Path(__file__).parent / "corpus-nodes.yaml")
    nodes = tuple(
        msgspec.convert(casefiles.expand(name, short), Node) for name, short in library.items()
    )
    policy = loaders.load_policy(None)
    cluster = loaders.Cluster(nodes, {})
    return Context(policy, loaders.inventory_of(cluster, policy), cluster, {})


@pytest.fixture(scope="module")
def decided(context: Context) -> list[Evaluation]:
    return list(every_decision(context))


def every_decision(context: Context) -> Iterator[Evaluation]:
    for found in manifests.read_manifests([str(CORPUS)]):
        assert isinstance(found, manifests.Manifest), found
        made = list(evaluate.evaluate(found, context))
        assert made, f"{found.source}: no pod template found"
        for each in made:
            assert isinstance(each, Evaluation), each
            yield each


def line(result: Evaluation) -> str:
    told = record_of(result)
    told["source"] = Path(told["source"]).name
    told["containers"] = " ".join(
        f"{c['name']}:{_amount(c['from'])}>{_amount(c['to'])}" for c in told["containers"]
    )
    return "\t".join(str(told[column]) for column in COLUMNS)


def _amount(resources: dict[str, int]) -> str:
    return "".join(f"{count}x{name}" for name, count in resources.items()) or "-"


def test_every_real_manifest_comes_out_as_checked_in(decided: list[Evaluation]) -> None:
    lines = ["\t".join(COLUMNS), *(line(result) for result in decided)]
    if os.environ.get("UPDATE_OUTCOMES"):
        OUTCOMES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert OUTCOMES.read_text(encoding="utf-8").splitlines() == lines, UPDATE


def test_four_in_five_of_those_that_anything_tells_are_recognised() -> None:
    counts, _ = corpus_count.count([str(CORPUS), str(CASE_MANIFESTS)])
    told = sum(each.told for each in counts.values())
    assert sum(each.recognised for each in counts.values()) >= 0.8 * told
    assert told > 70


def test_no_gpu_is_missed_without_a_word() -> None:
    policy = loaders.load_policy(None)
    for found in manifests.read_manifests([str(CORPUS), str(CASE_MANIFESTS)]):
        assert isinstance(found, manifests.Manifest), found
        if AMOUNT.search(str(found.value)) and found.value["kind"] != "Node":
            read = list(registry.find_templates(found.value))
            seen = any(corpus_count.templates_with_gpus(found.value, policy))
            assert seen or mentions.unread_mentions(found.value, read), found.source


def test_every_refusal_of_a_real_manifest_says_where_and_what_to_do(
    decided: list[Evaluation],
) -> None:
    for result in decided:
        if not result.verdict.allowed:
            assert 'container "' in result.verdict.message
            assert f"[{result.verdict.reason}]" in result.verdict.message
