"""A policy as tables, by the keys and values of a policy file."""

from typing import Final

from webhook.cli import output
from webhook.cli.text import Paragraph, Paragraphs, Text
from webhook.core.gpu.strategies import Strategy
from webhook.core.policy.values import Otherwise, Policy, Row, RowName, SeveralGpus

_ROWS: Final = {
    RowName.TRAINING: "training",
    RowName.INFERENCE: "inference",
    RowName.DEV: "dev",
    RowName.TENANT: "any pod of a tenant",
    RowName.TENANT_TRAINING: "a tenant's training",
    RowName.UNCLASSIFIED: "no workload label",
}
_OTHERWISE: Final = {Otherwise.EXCLUSIVE: "a whole GPU, with a warning", Otherwise.DENY: "refused"}
_SEVERAL: Final = {
    SeveralGpus.EXCLUSIVE: "that many whole GPUs",
    SeveralGpus.DENY: "refused",
    SeveralGpus.SHARE: "that many shares",
}
_MATRIX: Final = (
    ("matrix", "row"), ("strategies", "strategies"), ("otherwise", "otherwise"),
    ("severalGpus", "several"),
)  # fmt: skip
_CHECKS: Final = (("guards", "check"), ("tenants", "tenants"), ("others", "others"))
_LEGEND: Final = (
    ("strategies", "in order; the first that a node offers is taken"),
    ("otherwise", "if none is: exclusive (a whole GPU, with a warning) or deny"),
    ("severalGpus", "several in a container: exclusive (that many whole GPUs), share or deny"),
    (RowName.TENANT.value, "every pod of a tenant but its training, which is tenantTraining"),
    (RowName.UNCLASSIFIED.value, "nothing says what the pod is for"),
)


def policy_tables(policy: Policy) -> Paragraph:
    """Return the matrix and the checks by their keys, and what the words mean."""
    rows = (
        {
            "row": name.value,
            "strategies": _choices(row),
            "otherwise": row.otherwise.value,
            "several": row.several_gpus.value,
        }
        for name, row in policy.matrix.items()
    )
    checks = (
        {
            "check": _file_key(reason.code),
            "tenants": each.tenants.value,
            "others": each.others.value,
        }
        for reason, each in policy.guards.items()
    )
    legend = output.pairs((*strategy_meanings(), *_LEGEND))
    tables = output.table(_MATRIX, rows), Text(), legend, Text(), output.table(_CHECKS, checks)
    return Paragraphs(tables)


def strategy_meanings() -> tuple[tuple[str, str], ...]:
    """Return each strategy with what it means, in a line."""
    return tuple((each.value, each.traits.meaning) for each in Strategy)


def _file_key(code: str) -> str:
    """The key of a check in a policy file: `gpuVisibility` for `gpu_visibility`."""
    first, *more = code.split("_")
    return first + "".join(each.title() for each in more)


def row_sentence(name: RowName, row: Row) -> str:
    """Return one row of the matrix in a line."""
    otherwise, several = _OTHERWISE[row.otherwise], _SEVERAL[row.several_gpus]
    return f"{_ROWS[name]}: {_choices(row)}; none offered: {otherwise}; several GPUs: {several}"


def _choices(row: Row) -> str:
    parts = (c.strategy.value + (f" on {', '.join(c.on)}" if c.on else "") for c in row.choices)
    memory = f" (memory {row.memory}Mi)" if row.memory else ""
    return ", then ".join(parts) + memory
