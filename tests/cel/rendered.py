"""The admission expressions of deploy/install.yaml, ready to be judged."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.cel.protocol import Expression, Json, Kind, Rules, Variable

INSTALL = Path(__file__).parent.parent.parent / "deploy/install.yaml"

_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook and its match conditions, which are named webhook/condition."""

    name: str
    conditions: tuple[Expression, ...]

    @property
    def rules(self) -> Rules:
        """What an Evaluator takes."""
        return Rules(self.conditions)


@dataclass(frozen=True, slots=True)
class Policy:
    """A ValidatingAdmissionPolicy; its validations are named policy/number, from zero."""

    name: str
    variables: tuple[Variable, ...]
    conditions: tuple[Expression, ...]
    validations: tuple[Expression, ...]

    @property
    def rules(self) -> Rules:
        """What an Evaluator takes."""
        return Rules((*self.conditions, *self.validations), self.variables)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Everything in a file that the API server evaluates."""

    webhooks: tuple[Webhook, ...]
    policies: tuple[Policy, ...]

    @property
    def rules(self) -> tuple[Rules, ...]:
        """The rules of each webhook and of each policy."""
        webhooks = [webhook.rules for webhook in self.webhooks]
        return (*webhooks, *(policy.rules for policy in self.policies))

    def webhook(self, name: str) -> Webhook:
        """The webhook of this name."""
        return next(one for one in self.webhooks if one.name == name)

    def policy(self, name: str) -> Policy:
        """The policy of this name."""
        return next(one for one in self.policies if one.name == name)


@cache
def read(path: Path = INSTALL) -> Rendered:
    """The webhooks and policies of a file of YAML documents, but for policies with params."""
    documents = list(yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    webhooks = [one for doc in documents if doc["kind"] in _WEBHOOKS for one in doc["webhooks"]]
    policies = [
        doc
        for doc in documents
        if doc["kind"] == "ValidatingAdmissionPolicy" and "paramKind" not in doc["spec"]
    ]  # params are not known to the program; `make e2e` tries what uses them
    return Rendered(
        tuple(_webhook(webhook) for webhook in webhooks),
        tuple(_policy(policy) for policy in policies),
    )


def _webhook(webhook: Json) -> Webhook:
    """A webhook of a configuration."""
    return Webhook(webhook["name"], _conditions(webhook["name"], webhook))


def _policy(policy: Json) -> Policy:
    """A policy as the file has it."""
    name, spec = policy["metadata"]["name"], policy["spec"]
    variables = tuple(Variable(v["name"], v["expression"]) for v in spec.get("variables", []))
    return Policy(
        name, variables, _conditions(name, spec), _validations(name, spec.get("validations", []))
    )


def _conditions(owner: str, holder: Json) -> tuple[Expression, ...]:
    """The match conditions of a webhook or a policy."""
    return tuple(
        Expression(f"{owner}/{one['name']}", one["expression"], Kind.MATCH_CONDITION, owner)
        for one in holder.get("matchConditions", [])
    )


def _validations(owner: str, validations: Iterable[Json]) -> tuple[Expression, ...]:
    """The validations of a policy."""
    return tuple(
        Expression(
            f"{owner}/{number}", one["expression"], group=owner, message=one.get("message", "")
        )
        for number, one in enumerate(validations)
    )
