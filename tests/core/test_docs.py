"""The pages say what the code does: every code, label, metric, flag and module is named."""

import re
from pathlib import Path

from webhook.cli import main
from webhook.cli.verbs import SUMMARIES
from webhook.core.api import names, vocabulary
from webhook.core.checks.registry import REASONS
from webhook.core.gpu.strategies import Strategy
from webhook.core.policy.checks_schema import GuardsFile
from webhook.core.policy.schema import PolicyFile
from webhook.core.policy.values import Policy
from webhook.server import metrics

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_reason_has_a_section_with_what_to_do() -> None:
    sections = re.split(r"^### ", page("docs/reasons.md"), flags=re.MULTILINE)[1:]
    told = {section.split("\n", 1)[0]: section for section in sections}
    assert set(told) == set(REASONS)
    assert all("What to do:" in text and "For example:" in text for text in told.values())


def test_every_label_and_annotation_of_pods_is_known_and_in_the_readme() -> None:
    ours = {each for each in vars(names).values() if str(each).startswith(names.PREFIX)}
    ours -= {names.PREFIX, names.CONTROLLER, names.POOL_MOVE}
    assert ours == vocabulary.LABELS | vocabulary.ANNOTATIONS | {names.MODE}
    assert [each for each in ours - {names.EXPLAIN} if each not in page("README.md")] == []


def test_every_strategy_is_in_the_pages_that_list_them() -> None:
    for name in ("docs/policy.md", "docs/concepts.md"):
        assert [each for each in Strategy if f"`{each}`" not in page(name)] == []


def test_every_key_of_the_policy_is_on_its_page() -> None:
    keys = PolicyFile.__struct_encode_fields__
    assert [key for key in keys if not re.search(rf"\b{key}\b", page("docs/policy.md"))] == []


def test_every_command_is_on_some_page() -> None:
    pages = page("README.md") + "".join(map(page, map(str, (ROOT / "docs").glob("*.md"))))
    assert [verb for verb in SUMMARIES if f"gpu-sharing {verb}" not in pages] == []


SOURCES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "webhook").rglob("*.py"))


def test_what_a_policy_says_is_read_and_every_metric_is_written() -> None:
    read, written = {*Policy.__struct_fields__}, {*metrics.Metrics.__struct_fields__}
    read |= {*PolicyFile.__struct_fields__} - {"api_version"}
    assert [each for each in read if f".{each}" not in SOURCES] == []
    counted = rf"metrics\.({'|'.join(written)})\."
    assert written - {"registry"} - set(re.findall(counted, SOURCES)) == set()


def test_every_metric_is_documented() -> None:
    documented = page("docs/operations.md")
    registered = [m.name for m in metrics.create_metrics().registry.collect()]
    read = (*metrics.GAUGES, *metrics.BY_NAMESPACE, metrics.OFFERS, metrics.UNUSABLE)
    for name in (*registered, *read):
        assert name in documented


def test_every_flag_of_serve_is_documented() -> None:
    documented = page("docs/operations.md")
    actions = main.whole_parser()._subparsers._group_actions[0].choices["serve"]._actions  # type: ignore[union-attr, index]
    flags = [flag for action in actions for flag in action.option_strings if flag.startswith("--")]
    assert set(flags) > {"--bind"}
    assert [flag for flag in flags if flag != "--help" and flag not in documented] == []


def test_every_package_is_in_the_map() -> None:
    documented = page("docs/design.md")
    packages = [path.parent for path in (ROOT / "webhook").rglob("__init__.py")]
    named = [path.name for path in packages if "verbs" not in path.parent.parts]
    assert [name for name in named if f"{name}/ " not in documented] == []


def test_every_guard_is_in_the_pages_on_policy_and_security() -> None:
    keys = GuardsFile.__struct_encode_fields__
    for name in ("docs/policy.md", "docs/security.md"):
        assert [key for key in keys if f"`{key}`" not in page(name)] == []


def test_links_between_pages_lead_somewhere() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"
