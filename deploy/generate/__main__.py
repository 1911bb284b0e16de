"""`python -m deploy.generate` writes what follows from the tables; `--check` fails on drift."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.generate import (
    checks,
    dashboards,
    integrations,
    monitoring,
    pools,
    reasons,
    values_schema,
)

ROOT = Path(__file__).parents[2]
_WHOLE = {
    "deploy/chart/templates/_checks.tpl": checks.checks_template,
    "docs/reasons.md": reasons.reasons_page,
    "deploy/monitoring/rules.yaml": monitoring.plain_rules,
    "deploy/monitoring/prometheusrule.yaml": monitoring.prometheus_rule,
    **dashboards.FILES,
    "deploy/gpu-operator/values.yaml": pools.operator_file,
    "deploy/gpu-operator/device-plugin-values.yaml": pools.plugin_chart_file,
    values_schema.PATH: values_schema.values_schema,
}
_BLOCKS = {
    ("webhook/policies/default.yaml", "checks"): checks.policy_block,
    ("webhook/policies/default.yaml", "well-known labels"): integrations.well_known_labels_yaml,
    ("docs/policy.md", "checks"): checks.policy_table,
    ("docs/policy.md", "well-known labels"): integrations.well_known_labels_table,
    ("docs/policy.md", "programs"): integrations.programs_table,
    ("docs/security.md", "checks"): checks.security_table,
    ("deploy/chart/values.yaml", "custom resources"): integrations.custom_resources_yaml,
    ("deploy/gpu-operator/README.md", "layouts"): pools.layout_table,
}


def stale_files() -> Iterator[tuple[Path, str]]:
    """Yield each file that differs from the tables, and what it must be."""
    blocks: dict[str, str] = {}
    for (name, block), render in _BLOCKS.items():
        text = blocks.get(name) or (ROOT / name).read_text(encoding="utf-8")
        blocks[name] = _with_block(text, block, render())
    for name, text in (blocks | {name: render() for name, render in _WHOLE.items()}).items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path, text


def _with_block(text: str, block: str, made: str) -> str:
    """Return a text with what stands between the marks of a block exchanged.

    Raises:
        ValueError: the text has no such marks.
    """
    marks = rf"( *\S+ BEGIN {block} \(make generate\).*\n)[\s\S]*?( *\S+ END\b)"
    changed, found = re.subn(marks, lambda at: at[1] + made + at[2], text)
    if found != 1:
        raise ValueError(f"{found} blocks are marked BEGIN {block} (make generate)")
    return changed


def main() -> int:
    """Write stale files; with --check names them and returns 1."""
    stale = list(stale_files())
    for path, text in stale:
        print(path.relative_to(ROOT))  # noqa: T201 - the command's output
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
