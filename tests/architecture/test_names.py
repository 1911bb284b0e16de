"""One name means one thing, and no parameter is a tuple of unlike things."""

import ast
from collections import defaultdict

from tests.architecture.source import sources

INTERFACES = {
    # name of a function -> why several modules may define it
    "add_parser": "every verb adds its own parser",
    "run": "every verb runs",
    "collect": "every verb reads what it shows",
    "render": "every verb shows it",
}
MOST_DEFINITIONS = 2


def test_a_class_name_stands_for_one_class() -> None:
    found = defaultdict(list)
    for source in sources():
        for node in source.definitions():
            if isinstance(node, ast.ClassDef):
                found[node.name.lstrip("_")].append(source.path)
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_a_public_function_name_stands_for_one_function() -> None:
    found = defaultdict(list)
    for source in sources():
        for node in source.tree.body:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function and not node.name.startswith("_") and node.name not in INTERFACES:
                found[node.name].append(source.path)
    assert {name: paths for name, paths in found.items() if len(paths) > MOST_DEFINITIONS} == {}


def test_no_parameter_is_a_tuple_of_unlike_things() -> None:
    found = []
    for source in sources():
        for node in source.definitions():
            for each in getattr(getattr(node, "args", None), "args", ()):
                note = ast.unparse(each.annotation) if each.annotation else ""
                inner = set(note[6:-1].split(", ")) if note.startswith("tuple[") else set()
                if len(inner - {"..."}) > 1:
                    found.append(f"{source.path}:{node.lineno} {each.arg}: {note}")
    assert found == []


LONG_FILES = {
    # path -> why it is longer than the rest
    "webhook/server/http/protocol.py": "one state machine: the callbacks of one connection",
    "webhook/cli/verbs/serve.py": "the flags of serve, and how its parts are joined",
}


def test_files_and_functions_are_short() -> None:
    """Files of at most 210 lines, functions of at most 40 without their docstring."""
    found = []
    for source in sources():
        if source.text.count("\n") > 210 and source.path not in LONG_FILES:
            found.append(f"{source.path}: {source.text.count(chr(10))} lines")
        for node in source.definitions():
            if not isinstance(node, ast.ClassDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (node.end_lineno or 0) - body[0].lineno if body else 0
                if lines > 40:
                    found.append(f"{source.path}:{node.lineno} {node.name}: {lines} lines")
    assert found == []
