"""Texts that follow from the checks: the chart's CEL, the policy's block and tables of the docs."""

from collections.abc import Iterator

from webhook.core.checks.cel import pod_condition
from webhook.core.checks.check import Backstop, Check, PodCondition, Treatment
from webhook.core.checks.registry import CHECKS
from webhook.core.integrations.registry import well_known_labels

HEAD = (
    "{{/* Made from webhook/core/checks by `make generate`; change the checks, not this file. "
    "*/}}\n"
)
_NEW = "request.operation == 'CREATE' && "


def checks_template() -> str:
    """Returns the chart's templates/_checks.tpl."""
    return HEAD + "".join(
        f'\n{{{{/* {comment} */}}}}\n{{{{- define "gpu-sharing.{name}" -}}}}\n{text}\n'
        "{{- end }}\n"
        for name, comment, text in (
            ("checks", "A check may find something in a pod.", _webhook(new=_NEW)),
            ("checksOfTemplate", "The same in pods that are not made yet.", _webhook(new="")),
            ("classified", "A pod says what it is for.", _classified()),
            ("backstopChecks", "Validations of the backstop.", "".join(_validations()).rstrip()),
        )
    )


def _webhook(new: str) -> str:
    return " ||\n".join(
        f"({new if each.only_created else ''}({pod_condition(each.webhook, '{{ . }}')}))"
        for each in CHECKS
        if each.webhook != PodCondition()
    )


def _classified() -> str:
    labels = [(label.label, label.value) for label, _ in well_known_labels()]
    each = ("gpu-sharing.io/workload", None), *labels
    found = " ||\n".join(
        f"'{key}' in {{{{ . }}}}.metadata.labels"
        + (f" && {{{{ . }}}}.metadata.labels['{key}'] == '{value}'" if value else "")
        for key, value in each
    )
    return f"(has({{{{ . }}}}.metadata.labels) && (\n{found}))"


def _validations() -> Iterator[str]:
    for check in CHECKS:
        if check.backstop is not None:
            yield _validation(check, check.backstop)


def _validation(check: Check, backstop: Backstop) -> str:
    """Returns a validation that is false for a pod that the API server must refuse itself."""
    when = backstop.when or check.webhook
    to_all = check.treatments.others is Treatment.REFUSE
    may = "" if to_all else "!variables.tenant || "
    old = (
        "request.operation == 'UPDATE'"
        if check.only_created
        else f"(request.operation == 'UPDATE' && ({pod_condition(when, 'oldObject')}))"
    )
    message = f"{backstop.message} [{check.reason.code}]"
    return (
        f"- expression: >-\n    {may}!({pod_condition(when)})\n    || {old}\n"
        f'  message: "{message}"\n  reason: Forbidden\n'
    )


def policy_block() -> str:
    """Returns the checks of the built-in policy."""
    return "guards:\n" + "".join(_policy_line(each) for each in CHECKS)


def _policy_line(check: Check) -> str:
    tenants, others = (
        f'"{each}"' if each is Treatment.OFF else each.value
        for each in (check.treatments.tenants, check.treatments.others)
    )
    key = f"{camel_case(check.reason.code)}:".ljust(18)
    line = f"  {key} {{tenants: {tenants},".ljust(39) + f"others: {others}}}"
    comment = check.texts.comment
    return (f"{line}".ljust(57) + f"# {comment}" if comment else line) + "\n"


def camel_case(code: str) -> str:
    """Returns the policy's key of a check."""
    first, *rest = code.split("_")
    return first + "".join(part.title() for part in rest)


def policy_table() -> str:
    """Returns the table of docs/policy.md: what comes of each check."""
    rows: dict[tuple[Treatment, Treatment], list[str]] = {}
    for each in CHECKS:
        both = (each.treatments.tenants, each.treatments.others)
        rows.setdefault(both, []).append(f"`{camel_case(each.reason.code)}`")
    lines = (f"| {', '.join(keys)} | {a} | {b} |\n" for (a, b), keys in rows.items())
    return "| check | tenants | others |\n|---|---|---|\n" + "".join(lines)


def security_table() -> str:
    """Returns the table of docs/security.md: what each check looks at."""
    lines = (
        f"| {each.texts.looks_at} | `{camel_case(each.reason.code)}` |"
        + (f" {each.texts.on_the_node} |\n" if each.texts.on_the_node else " |\n")
        for each in CHECKS
    )
    return "| bypass | refused by check | and on the node |\n|---|---|---|\n" + "".join(lines)
