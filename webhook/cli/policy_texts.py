"""A policy in words and tables."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from webhook.cli import output
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
    ("WORKLOAD", "workload"), ("GETS, IN ORDER", "gets"), ("IF NONE IS OFFERED", "otherwise"),
    ("SEVERAL GPUS", "several"),
)  # fmt: skip
_CHECKS: Final = (("CHECK", "check"), ("TENANTS", "tenants"), ("OTHERS", "others"))


def policy_tables(policy: Policy) -> RenderableType:
    """Return the matrix and the checks, by their names in a policy file."""
    rows = (
        {
            "workload": _ROWS[name],
            "gets": _choices(row),
            "otherwise": _OTHERWISE[row.otherwise],
            "several": _SEVERAL[row.several_gpus],
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
    return Group(output.table(_MATRIX, rows), Text(), output.table(_CHECKS, checks))


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
    memory = f" (at least {row.memory} MiB)" if row.memory else ""
    return ", then ".join(parts) + memory
