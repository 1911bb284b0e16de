"""What the program reads and answers, as data; `tests/e2e/go/cel/protocol.go` is its other side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

SOMEBODY: Json = {"username": "somebody", "groups": ["system:authenticated"]}
"""The API server always knows a user; a case that names none has this one."""


class Kind(StrEnum):
    """Where an expression stands, which decides its budget and what it sees."""

    VALIDATION = "validation"
    MATCH_CONDITION = "matchCondition"  # sees no variables; its namespaceObject is null


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a policy."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A match condition or a validation; those of one kind and group share a budget."""

    name: str
    expression: str
    kind: Kind = Kind.VALIDATION
    group: str = ""
    message: str = ""
    """A validation's message, which the program does not read."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The expressions of one policy, or of any number of webhooks."""

    expressions: tuple[Expression, ...]
    variables: tuple[Variable, ...] = ()

    def to_json(self) -> Json:
        """The first line of the input."""
        return {
            "variables": [{"name": v.name, "expression": v.expression} for v in self.variables],
            "expressions": [
                {"name": e.name, "expression": e.expression, "kind": e.kind, "group": e.group}
                for e in self.expressions
            ],
        }


@dataclass(frozen=True, slots=True)
class Case:
    """A request; an object without a kind is a v1 Pod, and is defaulted as one."""

    object: Json | None
    operation: str = "CREATE"
    old: Json | None = None
    namespace: Json | None = None
    """The Namespace that validations see as namespaceObject."""
    request: Mapping[str, Any] = field(default_factory=dict)
    """The keys name, namespace, resource, subResource, dryRun, userInfo and allowed.

    `allowed` lists what authorizer allows, such as "label namespaces.gpu-sharing.io".
    """
    only: tuple[str, ...] | None = None
    """The expressions to judge; all of them if it is None."""

    def to_json(self) -> Json:
        """One line of the input."""
        return {
            "operation": self.operation,
            "object": self.object,
            "oldObject": self.old,
            "namespaceObject": self.namespace,
            "request": {"userInfo": SOMEBODY, **self.request},
            "only": self.only,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """An expression has a value or an error; the cost is what the API server counts."""

    value: bool | None
    error: str | None
    cost: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The results of one case by the names of the expressions."""

    results: Mapping[str, Result]
    refused: str | None
    """Why the API server refuses to decode the object, before any admission."""

    def matches(self, conditions: Iterable[str]) -> bool | None:
        """Whether match conditions let a request through; None if the failurePolicy decides."""
        results = [self.results[name] for name in conditions]
        if any(result.value is False for result in results):
            return False
        return None if any(result.error for result in results) else True

    @classmethod
    def from_json(cls, answer: Json) -> "Judgement":
        """One line of the output."""
        results = {
            name: Result(told.get("value"), told.get("error"), told["cost"])
            for name, told in answer.get("results", {}).items()
        }
        return cls(results, answer.get("refused"))


@dataclass(frozen=True, slots=True)
class Budgets:
    """The costs that the API server allows, from its own constants."""

    per_call: int
    validations: int
    match_conditions: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the API server says of the rules themselves."""

    errors: Mapping[str, str]
    """Why an expression does not compile; empty if each does."""
    new_errors: Mapping[str, str]
    """Why the API server would not accept an expression that is written now."""
    budgets: Budgets
    compatibility: str
    """The version whose language an expression that is written now must keep to."""

    @classmethod
    def from_json(cls, told: Json) -> "Compiled":
        """The first line of the output."""
        budgets = told["budgets"]
        return cls(
            {one["name"]: one["error"] for one in told.get("errors", [])},
            {one["name"]: one["newError"] for one in told["expressions"] if not one["new"]},
            Budgets(budgets["perCall"], budgets["validations"], budgets["matchConditions"]),
            told["compatibility"],
        )
