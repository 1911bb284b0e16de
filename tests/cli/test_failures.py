"""Whatever is wrong with the cluster or a file: code 2, a sentence, and no name of an exception."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import EXAMPLES, INVENTORY, Done, Run

from examples.demo.local_server import HOST
from tests.fake_apiserver.kubeconfig import write_kubeconfig
from webhook.cli.verbs import SUMMARIES

DEV = str(EXAMPLES / "dev.yaml")
VERBS = {
    "review": ("review", "-f", DEV),
    "audit": ("audit",),
    "rightsize": ("rightsize", "--prometheus", "http://127.0.0.1:1"),
    "explain": ("explain", "pod/a"),
    "why": ("why", "deployment/a"),
    "neighbours": ("neighbours",),
    "pods": ("pods",),
    "logs": ("logs",),
    "logs -f": ("logs", "-f"),
    "status": ("status",),
    "pools": ("pools",),
    "pools plan": ("pools", "plan"),
    "pools move": ("pools", "move", "node", "--to", "whole"),
    "conformance": ("conformance", "-n", "shop"),
}
ALONE = {"policy", "check", "reasons", "serve", "completion"}  # need no cluster
NAME_OF_A_CLASS = re.compile(r"\b[A-Z]\w+(Error|Exception)\b|Traceback|object at 0x")


def test_every_command_that_reads_a_cluster_is_tried() -> None:
    assert {words[0] for words in VERBS.values()} == SUMMARIES.keys() - ALONE


@pytest.fixture
def answering() -> Iterator[Callable[[int, str, str], int]]:
    """Give what starts a server with one answer for everything; returns its port."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, kind: str, body: str) -> int:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET  # noqa: N815 - as the base class calls it

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        servers.append(ThreadingHTTPServer((HOST, 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return int(servers[-1].server_address[1])

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


def told(done: Done) -> str:
    """What was written; it must be a failure in words."""
    text = done.out + done.err
    assert done.code == 2, text
    assert not NAME_OF_A_CLASS.search(text), text
    return " ".join(text.split())


@pytest.mark.parametrize("verb", VERBS)
def test_a_server_that_is_not_there(verb: str, run: Run, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    path = str(write_kubeconfig(tmp_path, f"http://{HOST}:{port}"))
    assert f"{HOST}:{port}: Connection refused" in told(run(*VERBS[verb], "--kubeconfig", path))


STATUS = '{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{0}","code":{1}}}'
ANSWERS = {
    "a page of a proxy": (502, "text/html", "<html><h1>Bad Gateway</h1></html>"),
    "a page that says OK": (200, "text/html", "<html><h1>Log in</h1></html>"),
    "an expired token": (401, "application/json", STATUS.format("Unauthorized", 401)),
    "no rights": (403, "application/json", STATUS.format("x is forbidden", 403)),
    "cut JSON": (200, "application/json", '{"kind":"List","items":['),
    "another JSON": (200, "application/json", "[]"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("verb", VERBS)
def test_an_answer_that_is_no_object(verb, answer, run: Run, answering, tmp_path: Path) -> None:
    path = str(write_kubeconfig(tmp_path, f"http://{HOST}:{answering(*ANSWERS[answer])}"))
    text = told(run(*VERBS[verb], "--kubeconfig", path))
    assert "<h1>" not in text


KUBECONFIGS = {
    "missing": None,
    "no YAML": "{]",
    "another file": "kind: Pod\n",
    "binary": "\0\0",
    "no server": "apiVersion: v1\nkind: Config\ncurrent-context: a\n",
}


@pytest.mark.parametrize("content", KUBECONFIGS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_kubeconfig_that_is_wrong(verb: str, content: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    if (text := KUBECONFIGS[content]) is not None:
        path.write_text(text)
    told(run(*VERBS[verb], "--kubeconfig", str(path)))


FILES = {
    "review": ("review", "--inventory", INVENTORY, "-f"),
    "inventory": ("review", "-f", DEV, "--inventory"),
    "policy": ("review", "-f", DEV, "--inventory", INVENTORY, "--policy"),
    "check": ("check",),
    "pools": ("pools", "-f"),
}
BESIDE_A_CLUSTER = {
    "audit": ("audit", "--policy"),
    "prices": ("audit", "--prometheus", "http://localhost:1", "--prices"),
    "explain": ("explain", "web-0", "--policy"),
    "neighbours": ("neighbours", "--pod-resources"),
    "plan": ("pools", "plan", "--inventory"),
}
CONTENTS = {"missing": None, "a folder": "", "no YAML": "{]", "binary": "\0", "a list": "- 1\n"}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("command", FILES)
def test_a_file_that_is_wrong(command: str, content: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if content == "a folder":
        path.mkdir()
    elif (text := CONTENTS[content]) is not None:
        path.write_text(text)
    if (command, content) == ("review", "a folder"):
        return  # an empty one, which is read
    assert str(path) in told(run(*FILES[command], str(path)))


@pytest.mark.parametrize("command", BESIDE_A_CLUSTER)
def test_a_missing_file_is_named_before_a_missing_cluster(command: str, run: Run) -> None:
    words = (*BESIDE_A_CLUSTER[command], "/no/file", "--kubeconfig", "/no/kubeconfig")
    assert run(*words).err == "error: /no/file: No such file or directory\n"
