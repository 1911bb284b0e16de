"""The other commands: --help, `policy`, `check`; what a newcomer meets first."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import INVENTORY, Json, Run, command

from webhook.cli import loaders
from webhook.cli.verbs import SUMMARIES
from webhook.core.gpu.strategies import Strategy
from webhook.core.policy.values import RowName
from webhook.process.version import version

# Help.


def test_the_help_names_every_command_and_where_to_begin(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    assert all(f"    {name} " in done.out for name in SUMMARIES)
    assert "new here?" in done.out
    assert "gpu-sharing review -f" in done.out


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_has_a_help_that_says_what_its_exit_codes_mean(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: gpu-sharing {name}")
    assert "exit code" in done.out.lower()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("review", "the following arguments are required: -f/--filename"),
        ("review -f a -o xml", "argument -o/--output: invalid choice: 'xml'"),
        ("serve --bogus", "unknown flag --bogus"),
        ("check --inventry=a", "unknown flag --inventry; did you mean --inventory?"),
        ("pods web", "unknown: web"),
        ("pools --bogus", "unknown: --bogus"),
        ("pools plan --bogus", "unknown flag --bogus"),
    ],
)
def test_a_wrong_call_ends_with_2_and_names_the_help(run: Run, words: str, error: str) -> None:
    done = run(*words.split())
    assert (done.code, done.out) == (2, "")
    told, see = done.err.splitlines()
    assert told.startswith(f"error: {error}")
    assert see.startswith(
        f"See 'gpu-sharing {words.removesuffix(' web').split(' -', 1)[0]} --help'"
    )


def test_the_bare_command_prints_its_help(run: Run) -> None:
    assert run() == run("--help")
    words = " ".join(run().out.split())
    missing = [each.value for each in Strategy if each.traits.meaning not in words]
    assert missing == [], "EPILOG of webhook/cli/main.py"


def test_help_of_a_command_is_its_help(run: Run) -> None:
    assert run("help", "check") == run("check", "--help")
    assert run("help") == run()


def test_a_mistyped_command_is_refused_with_a_guess(run: Run) -> None:
    done = run("revue")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: there is no command 'revue'; did you mean review?\n"
    assert "there are review, audit" in run("frobnicate").err


def test_the_version_is_told(run: Run) -> None:
    done = run("--version")
    assert (done.code, done.out.split()) == (0, ["gpu-sharing", version()])


@pytest.mark.parametrize("columns", ["60", "80"])
@pytest.mark.parametrize("name", SUMMARIES)
def test_a_help_page_fits(
    run: Run, name: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    page = run(name, "--help").out
    assert "gpu-\n" not in page  # a name is not broken at its hyphen
    usual = (line for line in page.splitlines() if not line.startswith("  gpu-sharing "))
    assert [line for line in usual if len(line) > int(columns)] == []


def test_the_command_as_a_process_answers_help() -> None:
    assert command("--help").code == 0


# policy.


def test_the_matrix_has_a_row_for_each_workload(run: Run) -> None:
    done = run("policy")
    assert done.code == 0
    for row in RowName:
        assert any(line.startswith(f"{row.value} ") for line in done.out.splitlines()), row
    for strategy in Strategy:
        assert strategy.traits.meaning in done.out


def test_names_are_printed_as_a_policy_file_writes_them(run: Run) -> None:
    keys = yaml.safe_load(run("policy", "--yaml").out)
    printed = {line.split(" ")[0] for line in run("policy").out.splitlines()}
    assert keys["matrix"].keys() | keys["guards"].keys() <= printed


def test_a_policy_as_yaml_is_the_one_of_the_file_with_all_that_it_leaves_out(
    run: Run, tmp_path: Path
) -> None:
    path, whole = tmp_path / "policy.yaml", tmp_path / "whole.yaml"
    path.write_text(
        yaml.safe_dump(
            HEAD
            | {
                "matrix": {"dev": {"memory": "8Gi"}},
                "exemptUsers": ["me"],
                "wellKnownLabels": {"replace": [{"label": "a", "workload": "dev"}]},
            }
        )
    )
    whole.write_text(run("policy", str(path), "--yaml").out)
    assert "memory: 8Gi" in whole.read_text()
    assert loaders.load_policy(str(whole)) == loaders.load_policy(str(path))


def test_check_tells_what_is_right_in_form_and_matches_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    strategies = [{"strategy": "mig", "on": ["A1000"]}, {"strategy": "mps", "on": ["V100"]}]
    path.write_text(yaml.safe_dump(HEAD | {"matrix": {"inference": {"strategies": strategies}}}))
    done = run("check", str(path))
    assert done.code == 1
    assert "mig on A1000: no GPU with MIG is known by that name; did you mean A100?" in done.out
    assert "V100:" not in done.out
    done = run("check", str(path), "--inventory", INVENTORY)
    assert "mps on V100: no GPU of the cluster is named so; there are NVIDIA-A100-" in done.out


def test_the_built_in_policy_is_a_file_to_start_from(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(run("policy", "--yaml").out)
    done = run("check", str(path))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{path}: right. It means:")
    assert run("policy", str(path)).out == run("policy").out


def test_a_part_of_a_policy_is_laid_over_the_built_in_one(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: {dev: {memory: 8Gi}}\n")
    [row] = [line for line in run("policy", str(path)).out.splitlines() if line.startswith("dev ")]
    assert "time-slicing, then mps (memory 8192Mi)" in row


def test_check_reads_standard_input(run: Run) -> None:
    done = run("check", "-", stdin=run("policy", "--yaml").out.encode())
    assert (done.code, done.out.startswith("standard input: right")) == (0, True)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_check_of_what_is_no_file_names_it(run: Run, tmp_path: Path, name: str) -> None:
    done = run("check", str(tmp_path / name))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {tmp_path / name}: ")


# The schema, as an editor would use it. Only the keywords that it has.


def schema(run: Run) -> Json:
    made: Json = json.loads(run("policy", "--schema").out)
    return made


def resolved(rule: Json, root: Json) -> Json:
    """The rule, or the one that its $ref names."""
    if "$ref" not in rule:
        return rule
    target: Json = root["$defs"][rule["$ref"].removeprefix("#/$defs/")]
    return target


TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": (list, tuple),
    "string": str,
    "integer": int,
    "null": type(None),
    "boolean": bool,
    "number": (int, float),
}
KNOWN = {
    *("$ref", "$defs", "$schema", "title", "description", "type", "enum", "anyOf", "items"),
    *("properties", "required", "additionalProperties", "default", "minItems", "minLength"),
    *("maxLength", "const", "pattern"),
}


def problems(value: Any, rule: Json, root: Json, path: str = "$") -> Iterator[str]:
    """What a value has against a rule, with paths."""
    rule = resolved(rule, root)
    assert rule.keys() <= KNOWN, f"a keyword that this test does not read: {rule.keys() - KNOWN}"
    if "anyOf" in rule:
        found = [list(problems(value, each, root, path)) for each in rule["anyOf"]]
        yield from [] if any(not each for each in found) else min(found, key=len)
        return
    if "enum" in rule and value not in rule["enum"]:
        yield f"{path}: {value!r} is none of {rule['enum']}"
    if "type" in rule and not isinstance(value, TYPES[rule["type"]]):
        yield f"{path}: {value!r} is no {rule['type']}"
    elif isinstance(value, str) and not re.search(rule.get("pattern", ""), value):
        yield f"{path}: {value!r} is not like {rule['pattern']}"
    elif isinstance(value, dict):
        yield from problems_of_mapping(value, rule, root, path)
    elif isinstance(value, list):
        if len(value) < rule.get("minItems", 0):
            yield f"{path}: too few"
        for index, each in enumerate(value):
            yield from problems(each, rule.get("items", {}), root, f"{path}[{index}]")


def problems_of_mapping(value: Json, rule: Json, root: Json, path: str) -> Iterator[str]:
    """The same for a mapping: its keys, those that it lacks, and what they hold."""
    known, more = rule.get("properties", {}), rule.get("additionalProperties", True)
    yield from (f"{path}: no {key}" for key in rule.get("required", ()) if key not in value)
    for key, each in value.items():
        if key in known:
            yield from problems(each, known[key], root, f"{path}.{key}")
        elif more is False:
            yield f"{path}: unknown {key}"
        elif isinstance(more, dict):
            yield from problems(each, more, root, f"{path}.{key}")


def test_the_schema_takes_the_built_in_policy(run: Run) -> None:
    made = schema(run)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    policy = yaml.safe_load(run("policy", "--yaml").out.replace("  on:", "  'on':"))
    assert list(problems(policy, made, made)) == []


HEAD: Json = {"apiVersion": "gpu-sharing.io/v1", "kind": "Policy"}


REFUSED = {
    "nothing": {},
    "no version": {"kind": "Policy"},
    "another kind": HEAD | {"kind": "Matrix"},
    "an unknown key": HEAD | {"matrx": {}},
    "an unknown row": HEAD | {"matrix": {"gaming": {}}},
    "an unknown strategy": HEAD | {"matrix": {"dev": {"strategies": ["cheap"]}}},
    "no strategy": HEAD | {"matrix": {"dev": {"strategies": []}}},
    "an unknown otherwise": HEAD | {"matrix": {"dev": {"otherwise": "maybe"}}},
    "a label without a workload": HEAD | {"wellKnownLabels": [{"label": "a"}]},
    "a list under another key": HEAD | {"gpuTaints": {"only": ["a"]}},
    "a wrong label": HEAD | {"pools": [{"name": "a", "labels": {"b": 1}}]},
}
ON_T4 = {"strategies": [{"strategy": "mps", "on": ["T4"]}]}
POOL = {
    "name": "a",
    "labels": {"nvidia.com/gpu.product": "Tesla-T4", "nvidia.com/gpu.sharing-strategy": "none"},
    "allocatable": {"nvidia.com/gpu": 8},
}
TAKEN = {
    "all built in": HEAD,
    "one key": HEAD | {"matrix": {"dev": {"memory": "8Gi"}}},
    "on a product": HEAD | {"matrix": {"inference": ON_T4}},
    "other rules": HEAD | {"exemptUsers": ["a"], "tenantPools": "shared"},
    "a list that replaces": HEAD | {"gpuTaints": {"replace": ["a"]}},
    "a pool": HEAD | {"pools": [POOL]},
}


@pytest.mark.parametrize("name", [*REFUSED, *TAKEN])
def test_schema_and_check_refuse_the_same(run: Run, tmp_path: Path, name: str) -> None:
    policy, made = (REFUSED | TAKEN)[name], schema(run)
    assert bool(list(problems(policy, made, made))) is (name in REFUSED)
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(policy))
    assert run("check", str(path)).code == (2 if name in REFUSED else 0)
