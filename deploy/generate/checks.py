"""Texts that follow from the checks: the chart's CEL, the policy's block and tables of the docs."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from deploy.generate import requests, sizes
from deploy.generate.cel import HAS_VARIABLES, over_pod
from webhook.core.api import denials, names
from webhook.core.api.reason import Reason
from webhook.core.checks.cel import (
    MAPS,
    NAMES_DEVICE,
    REQUESTS_DEVICE,
    any_container,
    listed,
    names_gpu,
    resource_names,
)
from webhook.core.checks.check import Check, PodCondition, Treatment
from webhook.core.checks.registry import CHECKS
from webhook.core.checks.reserved_names import LABEL, LABELLED
from webhook.core.decision.safety import BACKSTOP
from webhook.core.integrations.registry import well_known_labels

HEAD = (
    "{{/* Made from webhook/core/checks by `make generate`; change the checks, not this file. "
    "*/}}\n"
)
_ASKS = "A container requests a device of NVIDIA's or of a class; or a list is too long to look at."
LOOKED_AT = 50
"""Containers, and names of one, among which /mutate looks for devices."""
_WALKS = re.compile(r"\.(exists|filter)\(")
_NEW = "request.operation == 'CREATE' && "
_NOTES = "(has(o.metadata.annotations) ? o.metadata.annotations : {})"
_SAME = (
    "request.operation == 'UPDATE' && object.spec == oldObject.spec"
    f" && {over_pod(_NOTES)} == {over_pod(_NOTES, 'oldObject')}"
)
"""A pod that was large before keeps what is looked at, so that its finalizers can go."""


def checks_template() -> str:
    """Return the chart's templates/_checks.tpl."""
    return HEAD + "".join(
        f'\n{{{{/* {comment} */}}}}\n{{{{- define "gpu-sharing.{name}" -}}}}\n{text}\n'
        "{{- end }}\n"
        for name, comment, text in (
            ("asks", _ASKS, _asks()),
            ("reaches", "A pod can reach a GPU.", _reaches(made=True)),
            ("refusable", "The backstop may refuse a pod.", _refusable()),
            ("podsReach", "The same of pods that are not made yet.", _reaches(made=False)),
            ("ours", "A resource name is one of the device plugin's.", names_gpu("{{ . }}")),
            ("requestsDevice", "A container asks for what may be a GPU.", REQUESTS_DEVICE),
            ("wellKnownLabels", "The labels of the built-in policy.", _well_known()),
            ("backstopVariables", "Variables of the backstop.", "".join(_variables()).rstrip()),
            ("backstopChecks", "Validations of the backstop.", "".join(_validations()).rstrip()),
        )
    )


def _asks() -> str:
    return over_pod(
        any_container(resource_names(NAMES_DEVICE, LOOKED_AT, MAPS[1:]), LOOKED_AT), "{{ . }}"
    )


def _reaches(*, made: bool) -> str:
    """Return CEL for a pod that can reach a GPU, or may once it is made."""
    webhook = [(each, each.webhook) for each in CHECKS]
    return over_pod(_looked_at(webhook, NAMES_DEVICE, made=made), "{{ . }}")


def _refusable() -> str:
    """Return CEL for each pod that the backstop refuses, and few others.

    Most that got devices of their own are none, so that no validation looks at them.
    """
    backstop = [(each, each.backstop.asked or each.webhook) for each in CHECKS]
    shared = f"{LABEL} && !({LABELLED} in {listed(requests.ISOLATED)})"
    unsettled = f"k.startsWith('{names.NVIDIA}') && !({requests.settled()})"
    looked_at = _looked_at(backstop, unsettled, made=True)
    return over_pod(f"({shared}) ||\n{looked_at}")


def _looked_at(conditions: Sequence[tuple[Check, PodCondition]], device: str, *, made: bool) -> str:
    """Return CEL that looks at each container once for all conditions.

    What walks no list comes first: so pods that were rewritten are known by our label.
    """
    pods = [
        f"({_NEW if made and check.only_created else ''}({when.pod}))"
        for check, when in conditions
        if when.pod
    ]
    fields, lists = (
        [each for each in pods if bool(_WALKS.search(each)) is walks] for walks in (False, True)
    )
    resource, container, environment = (
        _any(getattr(when, part) for _, when in conditions)
        for part in ("resource", "container", "environment")
    )
    containers = (
        resource_names(_any((device, resource)), maps=MAPS[1:] if made else MAPS),
        container,
        f"{HAS_VARIABLES} && ({environment})",
    )
    large = f"(({sizes.longer()}) && {sizes.too_large()})"
    return " ||\n".join((*fields, large, *lists, any_container(_any(containers))))


def _any(conditions: Iterable[str]) -> str:
    return " || ".join(f"({each})" for each in conditions if each)


def _well_known() -> str:
    """Return a list of JSON, as the policy states such labels."""
    labels = [{"label": each.label, "value": each.value} for each, _ in well_known_labels()]
    stated = ({key: text for key, text in each.items() if text} for each in labels)
    return json.dumps(list(stated))


def _variables() -> Iterator[str]:
    large = ("large", over_pod(sizes.too_large()))
    for name, expression in (large, *requests.backstop_variables()):
        yield f"- name: {name}\n  expression: >-\n    {expression}\n"


def _validations() -> Iterator[str]:
    message = BACKSTOP[denials.TOO_LARGE]
    yield _rule(denials.TOO_LARGE, message, f"!variables.large || ({_SAME})")
    for reason, message, expression in requests.request_validations():
        yield _rule(reason, message, f"variables.large || {expression}")
    yield from map(_validation, CHECKS)


def _validation(check: Check) -> str:
    """Return a validation that is false for a pod that the API server must refuse itself.

    The chart's template `refuses` begins it by what the policy says of the check.
    """
    both = (check.treatments.tenants, check.treatments.others)
    stated = " ".join(f'"{each}"' for each in (camel_case(check.reason.code), *both))
    found = f"variables.large || {{{{ . }}}}({_found(check)})"
    rule = _rule(check.reason, check.backstop.message, found)
    begin = f'{{{{- with include "gpu-sharing.refuses" (list $ {stated}) }}}}'
    return f"{begin}\n{rule}{{{{- end }}}}\n"


def _found(check: Check) -> str:
    """Return CEL for what a check newly finds in a pod."""
    when = check.backstop.when or check.webhook
    changed = over_pod(check.backstop.changed or "false")
    names = resource_names(when.resource) if when.resource else ""
    of_each = {
        "containers": " || ".join(f"({each})" for each in (when.container, names) if each),
        "configured": when.environment,
    }
    parts = [
        f"variables.{name}.exists(c, {over_pod(condition)})"
        for name, condition in of_each.items()
        if condition
    ]
    if when.pod:
        parts.append(f"(request.operation == 'UPDATE' ? {changed} : ({over_pod(when.pod)}))")
    return " || ".join(parts)


def _rule(reason: Reason, message: str, expression: str) -> str:
    return (
        f"- expression: >-\n    {expression}\n"
        f'  message: "{message} [{reason}]"\n  reason: Forbidden\n'
    )


def policy_block() -> str:
    """Return the checks of the built-in policy."""
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
    """Return the policy's key of a check."""
    first, *rest = code.split("_")
    return first + "".join(part.title() for part in rest)


def policy_table() -> str:
    """Return the table of docs/policy.md: what comes of each check."""
    rows: dict[tuple[Treatment, Treatment], list[str]] = {}
    for each in CHECKS:
        both = (each.treatments.tenants, each.treatments.others)
        rows.setdefault(both, []).append(f"`{camel_case(each.reason.code)}`")
    lines = (f"| {', '.join(keys)} | {a} | {b} |\n" for (a, b), keys in rows.items())
    return "| check | tenants | others |\n|---|---|---|\n" + "".join(lines)


def security_table() -> str:
    """Return the table of docs/security.md: what each check looks at."""
    lines = (
        f"| {each.texts.looks_at} | `{camel_case(each.reason.code)}` |"
        + (f" {each.texts.on_the_node} |\n" if each.texts.on_the_node else " |\n")
        for each in CHECKS
    )
    return "| bypass | refused by check | and on the node |\n|---|---|---|\n" + "".join(lines)
