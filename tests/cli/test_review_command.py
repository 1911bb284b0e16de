"""`gpu-sharing review` over good and bad files: what it prints, where, and its exit code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from command_line import EXAMPLES, INVENTORY, Done, Json, command, forked

from webhook.core.api.reason import COMMAND

Run = Callable[..., Done]

KEYS = {
    *("source", "kind", "namespace", "name", "template", "workload", "tenant", "allowed"),
    *("strategy", "reason", "message", "warnings", "containers", "violations", "patch"),
}
PROMISES: Json = yaml.safe_load((EXAMPLES / "promises.yaml").read_text())


def reviewed(run: Run, *files: str | Path, flags: tuple[str, ...] = ()) -> tuple[Done, list[Json]]:
    """Review files with -o json; what it did, and the records."""
    named = [word for file in files for word in ("-f", str(file))]
    done = run("review", *named, "--inventory", INVENTORY, "-o", "json", *flags)
    return done, json.loads(done.out) if done.out else []


def spec(count: int = 1, name: str = "main") -> Json:
    limits = {"nvidia.com/gpu": count}
    return {"containers": [{"name": name, "image": "cuda", "resources": {"limits": limits}}]}


def pod_of(workload: str | None = "dev", **metadata: Any) -> Json:
    labels = {"gpu-sharing.io/workload": workload} if workload else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod", "labels": labels} | metadata,
        "spec": spec(),
    }


def made(kind: str, group: str, spec_of_it: Json, name: str = "thing") -> Json:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec_of_it}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Give what writes a file of objects, or of text as it is."""

    def write(*objects: Json | list[Any] | str | bytes, name: str = "things.yaml") -> Path:
        path = tmp_path / name
        parts = [each for each in objects if isinstance(each, str | bytes)]
        if parts:
            whole = [each.encode() if isinstance(each, str) else each for each in parts]
            path.write_bytes(b"".join(whole))
        else:
            path.write_text(yaml.safe_dump_all(objects))
        return path

    return write


# What it prints.


def test_the_examples_come_out_as_promised(run: Run) -> None:
    done, records = reviewed(run, EXAMPLES)
    assert (done.code, done.err) == (1, f"note: skipped {without_kind()}\n")
    found = {Path(record["source"]).name: record for record in records}
    assert found.keys() == PROMISES.keys()
    for name, promise in PROMISES.items():
        record = found[name]
        assert record["reason"] == promise["reason"]
        assert record["allowed"] is not promise.get("refused", False)
        assert record["strategy"] == promise.get("strategy")
        if "gets" in promise:
            assert promise["gets"] in record["containers"][0]["to"]


def without_kind() -> str:
    """What is said of promises.yaml, the one file of the folder that holds no objects."""
    return (
        f"{EXAMPLES / 'promises.yaml'}: document 1: expected a Kubernetes object with apiVersion "
        "and kind, got a mapping without kind"
    )


def test_json_has_exactly_the_promised_keys_for_every_outcome(run: Run) -> None:
    _, records = reviewed(run, EXAMPLES)
    assert {frozenset(record) for record in records} == {frozenset(KEYS)}
    by_allowed = {record["allowed"] for record in records}
    assert by_allowed == {True, False}
    for record in records:
        assert all(
            each.keys() == {"name", "from", "to", "strategy", "reason"}
            for each in record["containers"]
        )
        assert record["allowed"] or (record["patch"], record["strategy"]) == ([], None)
        assert record["message"]


def test_one_record_in_full(run: Run, file: Callable[..., Path]) -> None:
    path = file(
        made(
            "Job",
            "batch/v1",
            {
                "template": {
                    "metadata": {"labels": {"gpu-sharing.io/workload": "training"}},
                    "spec": spec(2),
                }
            },
        )
    )
    [record] = reviewed(run, path)[1]
    assert record | {"patch": [], "message": "", "warnings": []} == {
        "source": str(path),
        "kind": "Job",
        "namespace": "default",
        "name": "thing",
        "template": "spec.template",
        "workload": "training",
        "tenant": None,
        "allowed": True,
        "strategy": "exclusive",
        "reason": "whole_gpu",
        "message": "",
        "warnings": [],
        "violations": [],
        "containers": [
            {
                "name": "main",
                "from": {"nvidia.com/gpu": 2},
                "to": {"nvidia.com/gpu": 2},
                "strategy": "exclusive",
                "reason": "whole_gpu",
            },
        ],
        "patch": [],
    }
    assert all(each["op"] in {"add", "remove"} for each in record["patch"])


def test_yaml_says_the_same_as_json(run: Run) -> None:
    _, records = reviewed(run, EXAMPLES / "inference.yaml")
    done = run(
        "review", "-f", str(EXAMPLES / "inference.yaml"), "--inventory", INVENTORY, "-o", "yaml"
    )
    assert yaml.safe_load(done.out) == records


def test_nodes_whose_gpus_are_not_offered_are_told_beside_the_result(
    run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    node: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "bad"}}
    node["status"] = {"allocatable": {"nvidia.com/gpu": "1"}}
    nodes = tmp_path / "nodes.json"
    nodes.write_text(json.dumps(node))
    done = run("review", "-f", str(file(pod_of())), "--inventory", str(nodes))
    assert done.code == 1
    assert "not offered: node bad: nvidia.com/gpu: no label says" in done.err


def test_a_diff_shows_what_is_added_to_the_pod(run: Run) -> None:
    done = run(
        "review", "-f", str(EXAMPLES / "inference.yaml"), "--inventory", INVENTORY, "-o", "diff"
    )
    added = [line.strip() for line in done.out.splitlines() if line.startswith("+")]
    removed = [line.strip() for line in done.out.splitlines() if line.startswith("-")]
    assert any("nvidia.com/mig-3g.20gb: 1" in line for line in added)
    assert any("nvidia.com/gpu: 1" in line for line in removed)
    assert "# Deployment/recommender spec.template: mig_slice" in done.out


def test_a_diff_of_a_refusal_says_why(run: Run) -> None:
    done = run(
        "review", "-f", str(EXAMPLES / "tenant-shared.yaml"), "--inventory", INVENTORY, "-o", "diff"
    )
    assert done.code == 1
    assert "[tenant_needs_isolation]" in done.out


def test_the_table_names_each_pod_what_it_asks_and_what_it_gets(run: Run) -> None:
    done = run(
        "review",
        "-f",
        str(EXAMPLES / "dev.yaml"),
        "-f",
        str(EXAMPLES / "tenant-shared.yaml"),
        "-f",
        str(EXAMPLES / "no-gpu.yaml"),
        "--inventory",
        INVENTORY,
    )
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.startswith("Pod/")}
    assert rows.keys() == {"Pod/notebook", "Pod/blue-cheap", "Pod/web"}
    assert "gpu.shared (15360Mi)" in rows["Pod/notebook"]
    assert "time-slicing" in rows["Pod/notebook"]
    assert "refused" in rows["Pod/blue-cheap"]
    assert "no GPU" in rows["Pod/web"]


def test_what_is_piped_has_no_colours(run: Run) -> None:
    for output in ("table", "diff"):
        done = run(
            "review", "-f", str(EXAMPLES / "dev.yaml"), "--inventory", INVENTORY, "-o", output
        )
        assert "\x1b" not in done.out


# Exit codes.


@pytest.mark.parametrize(
    ("names", "code"),
    [
        pytest.param(["dev.yaml"], 0, id="allowed"),
        pytest.param(["no-gpu.yaml"], 0, id="unchanged"),
        pytest.param(["dev.yaml", "tenant-shared.yaml"], 1, id="one-refused"),
        pytest.param(["tenant-shared.yaml", "promises.yaml"], 2, id="refused-and-unreadable"),
        pytest.param(["dev.yaml", "missing.yaml"], 2, id="missing"),
    ],
)
def test_the_exit_code_tells_the_worst(run: Run, names: list[str], code: int) -> None:
    done, records = reviewed(run, *(EXAMPLES / name for name in names))
    assert done.code == code
    readable = [name for name in names if name not in {"promises.yaml", "missing.yaml"}]
    assert len(records) == len(readable), "the rest is still shown"


def test_the_command_as_a_process_prints_json_and_nothing_else(tmp_path: Path) -> None:
    body = (EXAMPLES / "tenant-shared.yaml").read_bytes()
    done = command("review", "-f", "-", "--inventory", INVENTORY, "-o", "json", stdin=body)
    [record] = json.loads(done.out)
    assert (done.code, done.err, record["source"]) == (1, "", "standard input")


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


# Settings.


def test_a_label_of_the_namespace_can_be_given(run: Run, file: Callable[..., Path]) -> None:
    path = file(pod_of("inference"))
    flags = ("--namespace-label", "gpu-sharing.io/tenant=blue")
    [record] = reviewed(run, path, flags=flags)[1]
    assert (record["tenant"], record["strategy"]) == ("blue", "mig")


def test_several_labels_may_be_given_and_come_over_the_known_ones(run: Run) -> None:
    flags = ("--namespace-label", "gpu-sharing.io/tenant=red")
    flags += ("--namespace-label", "gpu-sharing.io/mode=audit")
    done, [record] = reviewed(run, EXAMPLES / "tenant-shared.yaml", flags=flags)
    assert (done.code, record["tenant"], record["allowed"]) == (0, "red", True)
    assert record["warnings"][0] == "audit: would be refused (tenant_needs_isolation)"


@pytest.mark.parametrize("label", ["tenant", "=blue", ""])
def test_a_label_that_is_none_is_refused(run: Run, label: str) -> None:
    done = run("review", "-f", "a", "--namespace-label", label)
    assert (done.code, "expected KEY=VALUE" in done.err) == (2, True)


def test_a_namespace_beside_the_pods_counts(run: Run, file: Callable[..., Path]) -> None:
    labels = {"gpu-sharing.io/tenant": "green"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "n", "labels": labels},
    }
    [record] = reviewed(run, file(pod_of("dev", namespace="n"), namespace))[1]
    assert (record["namespace"], record["tenant"]) == ("n", "green")


def test_a_policy_of_ones_own_is_used(run: Run, file: Callable[..., Path]) -> None:
    policy = file(
        "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: {dev: {strategies: [mps]}}\n",
        name="policy.yaml",
    )
    [record] = reviewed(run, EXAMPLES / "dev.yaml", flags=("--policy", str(policy)))[1]
    assert record["strategy"] == "mps"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(
            "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: 5\n", "line 3, matrix", id="type"
        ),
        pytest.param(
            "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrx: {}\n", "line 3, matrx", id="key"
        ),
        pytest.param("kind: Policy\n", "line 1: `apiVersion` is missing", id="version"),
        pytest.param("[", "not YAML", id="yaml"),
        pytest.param(b"\xff", "not UTF-8", id="binary"),
    ],
)
def test_a_wrong_policy_is_told_before_any_pod(
    run: Run, file: Callable[..., Path], content: str | bytes, says: str
) -> None:
    policy = file(content, name="policy.yaml")
    done = run("review", "-f", str(EXAMPLES), "--policy", str(policy), "--inventory", INVENTORY)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {policy}: ")
    assert says in done.err
    assert run("check", str(policy)).err == done.err


def test_a_wrong_inventory_is_told_before_any_pod(run: Run, file: Callable[..., Path]) -> None:
    nodes = file("kind: Node\nmetadata:\n  labels: [a]\n", name="nodes.yaml")
    done = run("review", "-f", str(EXAMPLES), "--inventory", str(nodes))
    assert (done.code, done.out) == (2, "")
    *notes, error = done.err.splitlines()
    assert all(each.startswith("note: skipped ") for each in notes)
    assert error.startswith(f"error: {nodes}: line 3, metadata.labels: expected ")


def test_without_a_cluster_it_says_how_to_give_an_inventory(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    done = run("review", "-f", str(EXAMPLES / "dev.yaml"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: no cluster to ask")
    assert "--inventory FILE" in done.err
    assert "kubectl get nodes -o json" in done.err


def test_without_an_inventory_the_nodes_of_the_cluster_are_read(look: Run) -> None:
    done = look("review", "-f", str(EXAMPLES / "dev.yaml"), "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert {each["strategy"] for each in json.loads(done.out)} == {"time-slicing"}


# Kinds.


TEMPLATE = {"metadata": {"labels": {}}, "spec": spec()}
RAY_CLUSTER = {
    "headGroupSpec": {"template": {"spec": {"containers": [{"name": "head"}]}}},
    "workerGroupSpecs": [{"groupName": "gpu", "template": TEMPLATE}],
}
HEAD_AND_WORKER = {"headGroupSpec.template": 0, "workerGroupSpecs[0].template": 1}
KSERVE = "serving.kserve.io/v1beta1"
GPU = {"limits": {"nvidia.com/gpu": "1"}}

# kind -> the object, its workload, and for each template the number of its GPU containers.
KINDS: dict[str, tuple[Json, str, dict[str, int]]] = {
    "PodTemplate": (
        {"apiVersion": "v1", "kind": "PodTemplate", "template": TEMPLATE},
        "unclassified",
        {"template": 1},
    ),
    "Deployment": (
        made("Deployment", "apps/v1", {"template": TEMPLATE}),
        "unclassified",
        {"spec.template": 1},
    ),
    "StatefulSet": (
        made("StatefulSet", "apps/v1", {"template": TEMPLATE, "volumeClaimTemplates": []}),
        "unclassified",
        {"spec.template": 1},
    ),
    "DaemonSet": (
        made("DaemonSet", "apps/v1", {"template": TEMPLATE}),
        "unclassified",
        {"spec.template": 1},
    ),
    "Job": (made("Job", "batch/v1", {"template": TEMPLATE}), "unclassified", {"spec.template": 1}),
    "CronJob": (
        made("CronJob", "batch/v1", {"jobTemplate": {"spec": {"template": TEMPLATE}}}),
        "unclassified",
        {"spec.jobTemplate.spec.template": 1},
    ),
    "PyTorchJob": (
        made(
            "PyTorchJob",
            "kubeflow.org/v1",
            {
                "pytorchReplicaSpecs": {
                    "Master": {"template": TEMPLATE},
                    "Worker": {"template": TEMPLATE},
                }
            },
        ),
        "training",
        {
            "spec.pytorchReplicaSpecs.Master.template": 1,
            "spec.pytorchReplicaSpecs.Worker.template": 1,
        },
    ),
    "MPIJob": (
        made(
            "MPIJob",
            "kubeflow.org/v2beta1",
            {
                "mpiReplicaSpecs": {
                    "Launcher": {"template": {"spec": {"containers": [{"name": "mpirun"}]}}},
                    "Worker": {"template": TEMPLATE},
                }
            },
        ),
        "training",
        {"spec.mpiReplicaSpecs.Launcher.template": 0, "spec.mpiReplicaSpecs.Worker.template": 1},
    ),
    "RayCluster": (
        made("RayCluster", "ray.io/v1", RAY_CLUSTER),
        "unclassified",
        {f"spec.{path}": count for path, count in HEAD_AND_WORKER.items()},
    ),
    "RayJob": (
        made("RayJob", "ray.io/v1", {"rayClusterSpec": RAY_CLUSTER}),
        "unclassified",
        {f"spec.rayClusterSpec.{path}": count for path, count in HEAD_AND_WORKER.items()},
    ),
    "RayService": (
        made("RayService", "ray.io/v1", {"rayClusterConfig": RAY_CLUSTER}),
        "inference",
        {f"spec.rayClusterConfig.{path}": count for path, count in HEAD_AND_WORKER.items()},
    ),
    "JobSet": (
        made(
            "JobSet",
            "jobset.x-k8s.io/v1alpha2",
            {"replicatedJobs": [{"name": "w", "template": {"spec": {"template": TEMPLATE}}}]},
        ),
        "training",
        {"spec.replicatedJobs[0].template.spec.template": 1},
    ),
    "LeaderWorkerSet": (
        made(
            "LeaderWorkerSet",
            "leaderworkerset.x-k8s.io/v1",
            {"leaderWorkerTemplate": {"leaderTemplate": TEMPLATE, "workerTemplate": TEMPLATE}},
        ),
        "inference",
        {
            "spec.leaderWorkerTemplate.leaderTemplate": 1,
            "spec.leaderWorkerTemplate.workerTemplate": 1,
        },
    ),
    "Notebook": (
        made("Notebook", "kubeflow.org/v1", {"template": {"spec": spec()}}),
        "dev",
        {"spec.template": 1},
    ),
    "NIMService": (
        made("NIMService", "apps.nvidia.com/v1alpha1", {"image": {"tag": "1"}, "resources": GPU}),
        "inference",
        {"spec": 1},
    ),
    "InferenceService-model": (
        made(
            "InferenceService",
            KSERVE,
            {"predictor": {"model": {"modelFormat": {"name": "huggingface"}, "resources": GPU}}},
        ),
        "inference",
        {"spec.predictor.model": 1},
    ),
    "InferenceService-framework": (
        made("InferenceService", KSERVE, {"predictor": {"triton": {"resources": GPU}}}),
        "inference",
        {"spec.predictor.triton": 1},
    ),
    "InferenceService-containers": (
        made("InferenceService", KSERVE, {"predictor": spec(), "transformer": spec()}),
        "inference",
        {"spec.predictor": 1, "spec.transformer": 1},
    ),
    "LLMInferenceService": (
        made(
            "LLMInferenceService",
            "serving.kserve.io/v1alpha1",
            {"template": spec(), "prefill": {"template": spec()}},
        ),
        "inference",
        {"spec.template": 1, "spec.prefill.template": 1},
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_pods_of_a_kind_are_found_and_classified(
    run: Run, file: Callable[..., Path], name: str
) -> None:
    subject, workload, templates = KINDS[name]
    done, records = reviewed(run, file(json.loads(json.dumps(subject))))
    assert (done.code, done.err) == (0, "")
    assert {each["template"]: len(each["containers"]) for each in records} == templates
    assert {each["workload"] for each in records} == {workload}
    assert {each["kind"] for each in records} == {name.partition("-")[0]}
    for each in records:
        asked = templates[each["template"]]
        assert (each["strategy"] is not None) is bool(asked)


def test_a_policy_says_where_the_pods_of_an_unknown_kind_stand(
    run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "apiVersion: gpu-sharing.io/v1\nkind: Policy\npodTemplates:\n"
        "- kind: Engine\n  path: spec.roles.*\n"
    )
    engine = made("Engine", "x.io/v1", {"roles": {"a": {"resources": GPU}}, "b": spec()})
    path = file(engine)
    found = [each["template"] for each in reviewed(run, path)[1]]
    stated = reviewed(run, path, flags=("--policy", str(policy)))[1]
    assert found == ["spec.b"]
    assert [each["template"] for each in stated] == ["spec.roles.a"]


def test_a_table_that_refuses_or_warns_says_where_reasons_are_explained(
    run: Run, file: Callable[..., Path]
) -> None:
    def table(workload: str) -> str:
        return run("review", "-f", str(file(pod_of(workload))), "--inventory", INVENTORY).out

    assert table("typo").splitlines()[-1] == f"reasons explained: {COMMAND} CODE"
    assert table("dev").splitlines()[-1] == f"reasons explained: {COMMAND} CODE"
    assert COMMAND not in table("training")


def test_a_large_list_is_reviewed_in_seconds(run: Run, file: Callable[..., Path]) -> None:
    pods = [pod_of(name=f"pod-{number}") for number in range(1000)]
    body = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": pods})
    done, records = reviewed(run, file(body, name="pods.json"))
    assert (done.code, len(records)) == (0, 1000)


def test_a_gpu_outside_the_pods_found_is_told_and_with_strict_fails(
    run: Run, file: Callable[..., Path]
) -> None:
    path = file(made("Engine", "x.io/v1", {"engine": {"resources": GPU}}))
    plain, records = reviewed(run, path)
    assert (plain.code, records) == (0, [])
    assert plain.err.startswith(
        f"note: {path}: Engine: spec.engine.resources.limits.nvidia.com/gpu"
    )
    assert "podTemplates in the policy" in plain.err
    strict, _ = reviewed(run, path, flags=("--strict",))
    assert (strict.code, strict.err) == (1, plain.err)
    read = file(made("NIMService", "apps.nvidia.com/v1alpha1", {"resources": GPU}))
    assert reviewed(run, read, flags=("--strict",))[0].code == 0


def test_a_mistyped_key_of_a_namespace_is_told_and_with_strict_fails(
    run: Run, file: Callable[..., Path]
) -> None:
    namespace = made("Namespace", "v1", {})
    namespace["metadata"]["annotations"] = {"gpu-sharing.io/mode": "enforce"}
    path = file(namespace)
    plain, _ = reviewed(run, path)
    assert "annotation gpu-sharing.io/mode: it is no annotation; write it as label" in plain.err
    assert plain.code == 0
    assert reviewed(run, path, flags=("--strict",))[0].code == 1


def test_a_key_of_ours_on_an_object_is_told_with_its_place(
    run: Run, file: Callable[..., Path]
) -> None:
    deployment = made("Deployment", "apps/v1", {"template": {"spec": spec()}})
    deployment["metadata"]["labels"] = {"gpu-sharing.io/workload": "dev"}
    _, (record,) = reviewed(run, file(deployment))
    assert any("write it in spec.template.metadata [unknown_key]" in w for w in record["warnings"])
    assert record["workload"] == "unclassified"
