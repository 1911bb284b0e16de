"""The real webhook over HTTPS on a sample cluster; holds it to promises.yaml."""

import argparse
import contextlib
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from examples.demo.api_server import ApiServer, Creation
from examples.demo.local_server import running
from webhook.cli import manifests, output
from webhook.cli.manifests import InputError, Manifest
from webhook.cli.text import Paragraphs, Text
from webhook.core.checks.registry import REASONS
from webhook.core.integrations.registry import find_templates
from webhook.core.policy import yaml_text

KEPT, BROKEN, UNREADABLE = 0, 1, 2
EXAMPLES: Final = Path(__file__).parents[1]
SHOWN: Final = "inference.yaml"
_COLUMNS: Final = (
    ("EXAMPLE", "file"), ("IS FOR", "workload"), ("TENANT", "tenant"), ("REQUESTS", "asks"),
    ("GETS", "gets"), ("HOW", "how"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example: what came of its pod, and what was promised otherwise."""

    file: str
    creation: Creation
    wrong: tuple[str, ...]


def main() -> int:
    """Run the demo; 0 only if everything came out as examples/promises.yaml says."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo",
        description=(
            "Start the real webhook over HTTPS with a sample inventory, send it the reviews that "
            "an API server would send for the pods in examples/, and show what each gets and why."
        ),
    )
    parser.add_argument("--examples", type=Path, default=EXAMPLES, metavar="DIR")
    return run(parser.parse_args())


def run(args: argparse.Namespace) -> int:
    """Show what each example gets."""
    try:
        promises = _promises(args.examples)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return UNREADABLE
    inventory = args.examples / "inventory.yaml"
    output.put(_headline(inventory))
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
    output.put(_table(outcomes), Text())
    output.put(_before_and_after(outcomes))
    return tell(outcomes)


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
        for each in find_templates(found.value):
            namespace = found.value["metadata"]["namespace"]
            creation = api.create(each.pod, namespace, found.value)
            made.append(Outcome(path.name, creation, differences(creation, promise)))
    return made


def differences(creation: Creation, promise: dict[str, Any]) -> tuple[str, ...]:
    """Return what came out otherwise than promised."""
    told = creation.record
    given = [resource for each in told.containers for resource in each.given]
    got = {
        "reason": told.reason,
        "refused": not creation.allowed,
        "unchanged": creation.allowed and creation.after == creation.before,
        "strategy": told.strategy,
        "gets": given[0] if given else "",
    }
    return tuple(
        f"{key}: promised {value}, got {got[key]}"
        for key, value in promise.items()
        if got[key] != value
    )


def _headline(inventory: Path) -> Text:
    return Text(
        ("The webhook runs over HTTPS, and knows the five GPU nodes of ", "bold"),
        (inventory.name, "bold cyan"),
        (".\nEach pod is sent to /mutate as an API server would, and then to /validate.\n", "bold"),
    )  # fmt: skip


def _table(outcomes: list[Outcome]) -> Paragraphs:
    notes = []
    for outcome in outcomes:
        texts = [(text, "yellow") for text in outcome.creation.record.warnings]
        if not outcome.creation.allowed:
            texts.append((outcome.creation.message, "red"))
        notes += [Text((f"{outcome.file.removesuffix('.yaml')}: ", "bold"), text) for text in texts]
    rows = [_row(outcome) for outcome in outcomes]
    whys = dict.fromkeys(Text(f"{row['how'].plain:<13} {row['why']}") for row in rows)
    besides = Text("\nWhat kubectl would print besides:")
    return Paragraphs((output.table(_COLUMNS, rows), Text(), *whys, besides, *notes))


def _row(outcome: Outcome) -> dict[str, Any]:
    creation, told = outcome.creation, outcome.creation.record
    gets = ", ".join(output.amounts(each.given) for each in told.containers if each.given)
    how = Text(told.strategy or "no GPU") if creation.allowed else Text(("refused", "bold red"))
    return {
        "file": outcome.file.removesuffix(".yaml"),
        "workload": told.workload,
        "tenant": told.tenant,
        "asks": ", ".join(output.amounts(c.requested) for c in told.containers) or "no GPU",
        "gets": Text((gets if creation.allowed and gets else "-", "green")),
        "how": how,
        "why": REASONS[told.reason or ""].sentence,
    }


def _before_and_after(outcomes: list[Outcome]) -> Paragraphs:
    shown = next(o for o in outcomes if o.file == SHOWN)
    lines = output.diff(shown.creation.before, shown.creation.after)
    title = Text((f"The pod of {SHOWN}, before (-) and after (+):", "bold"))
    return Paragraphs((title, output.coloured_diff(lines[2:]), Text()))


def tell(outcomes: list[Outcome]) -> int:
    """Print what was not kept, or that all was; return the exit code."""
    wrong = [(outcome.file, text) for outcome in outcomes for text in outcome.wrong]
    for file, text in wrong:
        output.put(Text((f"{file}: {text}", "bold red")))
    if wrong:
        return BROKEN
    took = statistics.median(outcome.creation.seconds for outcome in outcomes) * 1000
    output.put(
        Text((f"All {len(outcomes)} came out as promised", "bold green"))
        + Text(
            f" (median {took:.1f} ms for a review, measured at the client, first calls included)."
        )
    )
    output.put(
        "Next, with your own pods:\n  .venv/bin/gpu-sharing review -f YOUR.yaml "
        "--inventory nodes.json\n(nodes.json is what `kubectl get nodes -o json` prints)"
    )
    return KEPT


if __name__ == "__main__":
    sys.exit(main())
