"""Texts that follow from the integrations: well-known labels and the chart's custom resources."""

from collections import defaultdict

from webhook.core.integrations import registry
from webhook.core.integrations.integration import WellKnownLabel


def well_known_labels_yaml() -> str:
    """Return the `wellKnownLabels` of the built-in policy."""
    return "".join(
        f"- {_flow(label)}   # {project}\n" for label, project in registry.well_known_labels()
    )


def _flow(label: WellKnownLabel) -> str:
    value = "" if label.value is None else f", value: {_scalar(label.value)}"
    return f"{{label: {label.label}{value}, workload: {label.workload}}}"


def _scalar(text: str) -> str:
    """Return a text as YAML, which without quotes may be a boolean."""
    return f'"{text}"' if text in ("true", "false") else text


def well_known_labels_table() -> str:
    """Return the same labels as a table of docs/policy.md."""
    rows = (
        f"| `{label.label}` | {f'`{label.value}`' if label.value else 'any'} | "
        f"{label.workload} | {project} |\n"
        for label, project in registry.well_known_labels()
    )
    return "| pod label | value | workload | project |\n|---|---|---|---|\n" + "".join(rows)


def programs_table() -> str:
    """Return the programs that classify a pod as a table of docs/policy.md."""
    rows = (
        f"| {project} | {each.workload} | {_code(each.command)} | {_code(each.image)} |\n"
        for each, project in registry.programs()
    )
    return "| project | workload | command | image |\n|---|---|---|---|\n" + "".join(rows)


def _code(pattern: str | None) -> str:
    """Return a regular expression as a cell, which is no link."""
    return f"`{pattern}`".replace("|", "\\|") if pattern else ""


def custom_resources_yaml() -> str:
    """Return the chart's `advise.customResources`: namespaced resources that make pods."""
    plurals = defaultdict(list)
    for each in registry.CUSTOM:
        if each.namespaced:
            plurals[each.group].append(each.plural)
    return "".join(
        f'  - apiGroups: [{group}]\n    apiVersions: ["*"]\n    resources: [{", ".join(names)}]\n'
        for group, names in sorted(plurals.items())
    )
