"""The files of `gpu-sharing review`: where objects come from, and what cannot be read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from command_line import EXAMPLES, INVENTORY, Run, command, forked
from reviewing import pod_of, reviewed

# Where objects come from.


def test_several_documents_lists_json_folders_and_standard_input_are_read(
    run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    documents = file("# a comment\n---\n", yaml.safe_dump_all([pod_of(name="a"), pod_of(name="b")]))
    listed = file(
        {"apiVersion": "v1", "kind": "List", "items": [pod_of(name="c")]}, name="list.yaml"
    )
    pods = {"apiVersion": "v1", "kind": "PodList", "items": [pod_of(name="d")]}
    as_json = file(json.dumps(pods), name="pods.json")
    sequence = file([pod_of(name="e"), [pod_of(name="f")]], name="sequence.yml")
    deep = tmp_path / "folder" / "below"
    deep.mkdir(parents=True)
    (deep / "pod.yaml").write_text(yaml.safe_dump(pod_of(name="g")))
    (deep / "notes.txt").write_text("{ not read }")
    (deep / "values.yaml.tmpl").write_text("{{ not read }}")

    files = (documents, listed, as_json, sequence, tmp_path / "folder")
    done, records = reviewed(run, *files)

    assert (done.code, done.err) == (0, "")
    assert "".join(record["name"] for record in records) == "abcdefg"
    assert records[6]["source"] == str(deep / "pod.yaml")


def test_standard_input_may_stand_among_files(run: Run, file: Callable[..., Path]) -> None:
    path = file(pod_of(name="a"))
    body = yaml.safe_dump(pod_of(name="b")).encode()
    done = run(
        "review", "-f", str(path), "-f", "-", "--inventory", INVENTORY, "-o", "json", stdin=body
    )
    assert [each["source"] for each in json.loads(done.out)] == [str(path), "standard input"]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(
    run: Run, file: Callable[..., Path]
) -> None:
    body = (EXAMPLES / "dev.yaml").read_bytes().replace(b"\n", b"\r\n")
    as_json = json.dumps(pod_of()).encode()
    for path in (file(b"\xef\xbb\xbf" + body), file(b"\xef\xbb\xbf" + as_json, name="a.json")):
        done, records = reviewed(run, path)
        assert (done.code, [each["strategy"] for each in records]) == (0, ["time-slicing"])


@pytest.mark.parametrize("content", ["", "\n", "# only a comment\n", "---\n---\n...\n", "null\n"])
def test_a_file_without_objects_is_read_and_has_no_pod(
    run: Run, file: Callable[..., Path], content: str
) -> None:
    done, records = reviewed(run, file(content))
    assert (done.code, done.err, records) == (0, "", [])
    table = run("review", "-f", str(file(content)), "--inventory", INVENTORY)
    assert table.out == "no pod and no pod template found\n"


def test_a_folder_without_manifests_has_no_pod(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done, records = reviewed(run, tmp_path / "empty")
    assert (done.code, records) == (0, [])


def test_objects_that_make_no_pods_are_passed_over(run: Run, file: Callable[..., Path]) -> None:
    path = file(
        {"apiVersion": "v1", "kind": "Service", "spec": {"ports": []}},
        pod_of(),
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"containers": "a"}},
    )
    done, records = reviewed(run, path)
    assert (done.code, len(records)) == (0, 1)


# What cannot be read.


def bomb(last: str) -> str:
    """Nine lists of nine aliases each: 9⁹ values in 600 bytes; then what uses them."""
    pairs = zip("abcdefghi", "bcdefghij", strict=True)
    lists = [f"  {new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairs]
    head = "apiVersion: x.io/v1\nkind: Pod\nmetadata: {name: a}\nextra:\n  a: &a [x]\n"
    return head + "".join(lists) + last


POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"
UNREADABLE = [
    pytest.param(POD + "spec: [\n", "line 6: not YAML", id="not-closed"),
    pytest.param(POD + "spec:\n\t- a\n", "line 6: not YAML", id="tab"),
    pytest.param(POD + "spec: *nothing\n", "line 5: not YAML", id="unknown-alias"),
    pytest.param("{{- if .Values.gpu }}\n" + POD, "line 1: not YAML", id="helm-template"),
    pytest.param('{"kind": "Pod", "spec": {}', "line 2: not YAML", id="half-json"),
    pytest.param(POD + "  name: b\n", "line 5: `name` stands twice", id="key-twice"),
    pytest.param("replicas: 3\n", "a mapping without kind", id="helm-values"),
    pytest.param("hello\n", "got str 'hello'", id="text"),
    pytest.param("- 1\n", "got int '1'", id="list-of-numbers"),
    pytest.param("kind: [Pod]\n", "a mapping without kind", id="kind-that-is-a-list"),
    pytest.param("a: !!python/object/apply:os.system [ls]\n", "line 1: not YAML", id="python-tag"),
    pytest.param(b"\x00\x01\x02", "not YAML", id="control-characters"),
    pytest.param(bytes(range(256)), "not UTF-8 text at byte 128", id="binary"),
    pytest.param(POD.encode("utf-16"), "not UTF-8 text at byte 0", id="utf-16-of-powershell"),
    pytest.param(POD + "spec: null\n", "spec: expected `object`", id="spec-null"),
    pytest.param(POD, "spec: expected `object`, got `null`", id="no-spec"),
    pytest.param(
        POD + "spec:\n  containers:\n  - name: a\n    env: 5\n",
        "line 8, spec.containers[0].env: expected `array | null`, got `int`",
        id="env-number",
    ),
    pytest.param(
        POD + "spec:\n  containers:\n  - resources:\n      limits: [1]\n",
        "line 8, spec.containers[0].resources.limits: expected `object | null`, got `array`",
        id="limits-list",
    ),
    pytest.param(
        POD + "  labels: {a: 1}\nspec: {}\n", "line 5, metadata.labels", id="label-number"
    ),
    pytest.param(
        "kind: Job\nspec:\n  template:\n    spec:\n      containers: none\n",
        "line 5, spec.template.spec.containers: expected `array | null`, got `str`",
        id="containers-string-in-a-template",
    ),
    pytest.param("kind: Deployment\nspec: []\n", "spec.template", id="deployment-without-template"),
    pytest.param(
        "kind: Namespace\nmetadata:\n  labels: [a]\n", "line 3, metadata.labels", id="bad-namespace"
    ),
    pytest.param(bomb("spec: {containers: *j}\n"), "aliases make more", id="bomb-as-containers"),
]


@pytest.mark.parametrize(("content", "says"), UNREADABLE)
def test_what_cannot_be_read_is_named_with_file_and_place(
    run: Run, file: Callable[..., Path], content: str | bytes, says: str
) -> None:
    path = file(content)
    done, records = reviewed(run, path)
    assert (done.code, records) == (2, [])
    assert done.err.startswith(f"error: {path}: ")
    assert says in done.err
    assert len(done.err.splitlines()) <= 2
    assert len(done.err) < 1000


NEVER_A_TRACEBACK = [
    pytest.param(POD + "spec: {{ .Values.spec }}\n", "line 5", id="template-as-a-value"),
    pytest.param("kind: Pod\n? [a]\n: b\n", "line 2", id="key-that-is-a-list"),
    pytest.param(POD + "spec: 09\n", "line 5", id="octal-that-is-none"),
    pytest.param(
        "kind: Job\nmetadata: {namespace: [a]}\nspec: {template: {spec: {}}}\n",
        "metadata.namespace",
        id="namespace-that-is-a-list",
    ),
    pytest.param(
        "kind: List\nitems:\n- " + POD.replace("\n", "\n  ") + "spec: 1\n",
        "items[0]",
        id="object-of-a-list",
    ),
]


@pytest.mark.parametrize(("content", "says"), NEVER_A_TRACEBACK)
def test_what_cannot_be_read_is_never_a_traceback(
    run: Run, file: Callable[..., Path], content: str | bytes, says: str
) -> None:
    path = file(content)
    done, _ = reviewed(run, path)
    assert done.code == 2
    assert f"error: {path}: " in done.err
    assert says in done.err


def test_a_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    done, _ = reviewed(run, tmp_path / "missing.yaml")
    assert (done.code, done.err) == (
        2,
        f"error: {tmp_path / 'missing.yaml'}: No such file or directory\n",
    )


def test_where_nothing_can_be_read_no_cluster_is_asked(run: Run, tmp_path: Path) -> None:
    done = run("review", "-f", "missing.yaml", "--kubeconfig", str(tmp_path / "none"))
    assert (done.code, done.out, done.err) == (
        2,
        "",
        "error: missing.yaml: No such file or directory\n",
    )


def test_standard_input_that_is_no_utf_8_is_told_whatever_the_locale() -> None:
    done = command(
        "review", "-f", "-", "--inventory", INVENTORY, stdin=b'{"a": "\xff"}', LC_ALL="C"
    )
    assert (done.code, done.err) == (2, "error: standard input: not UTF-8 text at byte 7\n")


BOMBS = {
    "beside-the-spec": bomb("spec: {containers: [{name: a}]}\n"),
    "as-an-image": bomb("spec: {containers: [{name: a, image: *j}]}\n"),
    "a-pod-in-itself": POD + "spec: &a {x: *a, containers: [{name: a}]}\n",
    "in-a-kind-that-is-not-known": bomb("spec: *j\n").replace("kind: Pod", "kind: Foo"),
    "in-a-list-of-objects": bomb("").replace("extra:", "items:").replace("kind: Pod", "kind: List"),
    "a-kind-in-itself": "apiVersion: x.io/v1\nkind: Foo\nspec: &a {x: *a}\n",
    "a-list-in-itself": "&a\n- *a\n",
    "merges": "x0: &x0 {k: 1}\n"
    + "".join(f"x{i}: &x{i}\n  <<: [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 9))
    + "kind: Foo\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_aliases_that_multiply_or_name_themselves_are_refused(name: str) -> None:
    done = forked("review", "-f", "-", "--inventory", INVENTORY, stdin=BOMBS[name].encode())
    assert done.code == 2
    assert "alias" in done.err


def test_json_that_is_nested_too_deeply_is_told() -> None:
    body = b'{"kind": "Pod", "spec": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    done = forked("review", "-f", "-", "--inventory", INVENTORY, stdin=body)
    assert (done.code, "nested too deeply" in done.err) == (2, True)
