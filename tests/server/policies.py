"""Policies that a test writes, and what a webhook says of the one that it has."""

import json
from pathlib import Path

from webhook_process import Webhook, gpu_pod, question

POLICY = """\
apiVersion: gpu-sharing.io/v1
kind: Policy
matrix:
  dev:
    strategies: [{strategy}]
"""
TYPO = POLICY.replace("strategies", "strategy")


def policy(strategy: str) -> str:
    return POLICY.format(strategy=strategy)


def strategy_of_dev(webhook: Webhook) -> str | None:
    """What a dev pod gets now."""
    answer = webhook.review("/mutate", question(gpu_pod("dev")))
    told: str | None = answer["auditAnnotations"].get("strategy")
    return told


def ready(webhook: Webhook) -> dict[str, str]:
    """The checks of a process that is ready, with their details."""
    reply = webhook.ask("GET", "/readyz")
    assert reply.status == 200
    checks: dict[str, str] = json.loads(reply.body)["checks"]
    return checks


def metric(webhook: Webhook, line: str) -> bool:
    """Whether the metrics have this very line."""
    return line in webhook.metrics().splitlines()


def replaced(path: Path, text: str) -> None:
    """Replace a file in one step, as editors and `kubectl` users do."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
