"""`gpu-sharing demo`: the real webhook over HTTPS on a sample cluster; holds it to its promises."""

import argparse
import contextlib
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

import webhook
from webhook.cli import manifests, output
from webhook.cli.fake_apiserver import Answer, ApiServer
from webhook.cli.local_server import running
from webhook.cli.manifests import InputError, Manifest
from webhook.core.checks.registry import REASONS
from webhook.core.integrations import registry
from webhook.core.policy import yaml_text

KEPT, BROKEN, UNREADABLE = 0, 1, 2
EXAMPLES: Final = Path(webhook.__file__).parent / "examples"
SHOWN: Final = "inference.yaml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example: what it asked, what came back, and whether that was promised."""

    file: str
    pod: dict[str, Any]
    answer: Answer
    wrong: tuple[str, ...]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="the webhook at work on a sample cluster, in seconds; needs nothing but Python",
        description=(
            "Start the real webhook over HTTPS with a sample inventory, send it the reviews that "
            "an API server would send for the pods in examples/, and show what each gets and why. "
            "Exit code 0 only if everything came out as examples/promises.yaml says."
        ),
    )
    parser.add_argument("--examples", type=Path, default=EXAMPLES, metavar="DIR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what each example gets."""
    console = output.console()
    try:
        promises = _promises(args.examples)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return UNREADABLE
    inventory = args.examples / "inventory.yaml"
    console.print(_headline(inventory))
    with (
        tempfile.TemporaryDirectory(prefix="gpu-sharing-demo-") as folder,
        running(Path(folder), ["--inventory", str(inventory)]) as place,
        contextlib.closing(ApiServer(place)) as api,
    ):
        outcomes = [
            outcome
            for file, promise in promises.items()
            for outcome in _outcomes(args.examples / file, promise, api)
        ]
    console.print(_table(outcomes), Text())
    console.print(_before_and_after(outcomes))
    return _verdict(console, outcomes)


def _promises(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "promises.yaml"
    text = manifests.read_text(str(path))
    try:
        document = yaml_text.parse_document(text, InputError)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not isinstance(document.value, dict):
        raise InputError(f"{path}: expected a mapping of file names")
    return document.value


def _outcomes(path: Path, promise: dict[str, Any], api: ApiServer) -> list[Outcome]:
    made = []
    for found in manifests.read_manifests([str(path)]):
        if not isinstance(found, Manifest):
            raise found
        for each in registry.find_templates(found.value):
            namespace = found.value["metadata"]["namespace"]
            answer = api.create(each.pod, namespace, found.value)
            made.append(Outcome(path.name, each.pod, answer, _differences(answer, promise)))
    return made


def _differences(answer: Answer, promise: dict[str, Any]) -> tuple[str, ...]:
    """What came out otherwise than promised."""
    got = {
        "reason": answer.told.get("reason"),
        "refused": not answer.allowed,
        "unchanged": answer.allowed and answer.after == answer.before,
        "strategy": answer.told.get("strategy"),
        "gets": answer.told.get("to", "").partition("=")[2].rpartition(":")[0],
    }
    return tuple(
        f"{key}: promised {value}, got {got[key]}"
        for key, value in promise.items()
        if got[key] != value
    )


def _headline(inventory: Path) -> Text:
    return Text.assemble(
        ("The webhook runs over HTTPS, and knows the five GPU nodes of ", "bold"),
        (inventory.name, "bold cyan"),
        (".\nEach pod is sent to /mutate as an API server would, and what comes of it to "
         "/validate.\n", "bold"),
    )  # fmt: skip


def _table(outcomes: list[Outcome]) -> Group:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("EXAMPLE", "IS FOR", "ASKS", "GETS nvidia.com/", "WHY"):
        made.add_column(column)
    notes = []
    for outcome in outcomes:
        made.add_row(outcome.file, *_cells(outcome.answer))
        texts = [(text, "yellow") for text in outcome.answer.warnings]
        if not outcome.answer.allowed:
            texts.append((outcome.answer.message, "red"))
        notes += [Text.assemble((f"{outcome.file}: ", "bold"), text) for text in texts]
    return Group(made, Text("\nWhat kubectl would print besides:"), *notes)


def _cells(answer: Answer) -> tuple[str | Text, ...]:
    told = answer.told
    tenant = f" of tenant {told['tenant']}" if "tenant" in told else ""
    workload = told.get("workload", "-") + tenant
    reason = REASONS[told["reason"]].sentence
    asks = _amount(told.get("from", "")) or "no GPU"
    if not answer.allowed:
        return workload, asks, Text("refused", "bold red"), reason
    gets = _amount(told.get("to", ""))
    return workload, asks, Text(gets or "unchanged", "green" if gets else "dim"), reason


def _amount(told: str) -> str:
    """`main=nvidia.com/gpu:1`, as the audit annotations tell it, for people: `1 gpu`."""
    resource, _, count = told.partition("=")[2].rpartition(":")
    return f"{count} {output.short(resource)}" if resource else ""


def _before_and_after(outcomes: list[Outcome]) -> Group:
    shown = next(o for o in outcomes if o.file == SHOWN)
    lines = output.unified(shown.answer.before, shown.answer.after)
    title = Text(f"The pod of {SHOWN}, before (-) and after (+):", "bold")
    return Group(title, output.coloured(lines[2:]), Text())


def _verdict(console: Console, outcomes: list[Outcome]) -> int:
    wrong = [(outcome.file, text) for outcome in outcomes for text in outcome.wrong]
    for file, text in wrong:
        console.print(Text(f"{file}: {text}", "bold red"))
    if wrong:
        return BROKEN
    took = statistics.median(outcome.answer.seconds for outcome in outcomes) * 1000
    console.print(
        Text(f"All {len(outcomes)} came out as promised", "bold green")
        + Text(
            f" (median {took:.1f} ms for a review, measured at the client, first calls included)."
        )
    )
    console.print(
        "Next, with your own pods: [bold]gpu-sharing review -f YOUR.yaml --inventory nodes.json[/]"
        "\n(nodes.json is what `kubectl get nodes -o json` prints)"
    )
    return KEPT
