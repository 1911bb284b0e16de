"""The real `gpu-sharing serve` as a process, spoken to over TLS; decides and expects nothing."""

import base64
import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import jsonpatch
from prometheus_client.parser import text_string_to_metric_families

from examples.demo import api_server
from examples.demo.local_server import HOST, LocalServer, running
from tests.forks import fork_command

Json = dict[str, Any]

EXAMPLES = Path(__file__).parents[2] / "examples"
INVENTORY = EXAMPLES / "inventory.yaml"
DEADLINE = 30.0  # seconds any condition may take; a machine under load is slow, not wrong
SIDES = ("/mutate", "/validate", "/audit/mutate", "/audit/validate")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: status, body, and how to read it as the answer to a review."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as people read it."""
        return self.body.decode()

    @property
    def review(self) -> Json:
        """The whole AdmissionReview."""
        assert self.status == 200, (self.status, self.text)
        whole: Json = json.loads(self.body)
        return whole

    @property
    def response(self) -> Json:
        """The answer in the AdmissionReview."""
        answer: Json = self.review["response"]
        return answer


class Webhook:
    """A client of one running process. It keeps its connection, as an API server does."""

    def __init__(self, place: LocalServer) -> None:
        self.place = place
        self._connection = place.connect(timeout=DEADLINE)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send any request on a connection of its own."""
        connection = self.place.connect(timeout=DEADLINE)
        try:
            return exchange(connection, method, path, (body, headers or {}))
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        """GET on the connection that is kept: needs no certificate that can be verified now."""
        return exchange(self._connection, "GET", path, (None, {}))

    def post(self, path: str, body: bytes) -> Reply:
        """POST JSON on the connection that is kept; once more if the server had ended it."""
        request = (body, {"Content-Type": "application/json"})
        try:
            return exchange(self._connection, "POST", path, request)
        except (ConnectionError, HTTPException):
            self._connection.close()
            return exchange(self._connection, "POST", path, request)

    def review(self, path: str, question: Json) -> Json:
        """Send an AdmissionReview; return the response in the answer."""
        return self.post(path, json.dumps(question).encode()).response

    def metrics(self) -> str:
        """The text of the metrics port."""
        connection = HTTPConnection(HOST, self.place.metrics_port, timeout=DEADLINE)
        try:
            return exchange(connection, "GET", "/metrics", (None, {})).text
        finally:
            connection.close()

    def count(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        families = text_string_to_metric_families(self.metrics())
        found = (each for family in families for each in family.samples if each.name == name)
        return sum(each.value for each in found if labels.items() <= each.labels.items())

    def log_text(self) -> str:
        """Everything the process wrote so far, to either stream."""
        return self.place.log.read_text() + self.place.audit.read_text()

    def log(self, event: str) -> list[Json]:
        """The lines of the log that tell of an event; a line still being written is left out."""
        lines = self.log_text().split("\n")[:-1]
        return [found for found in map(json.loads, lines) if found.get("event") == event]

    def line_of(self, question: Json) -> Json:
        """The one log line of a review; it is written after the answer."""
        uid = question["request"]["uid"]
        return until(lambda: [each for each in self.log("review") if each["uid"] == uid])[0]

    def close(self) -> None:
        """Close the kept connection."""
        self._connection.close()


def exchange(
    connection: HTTPConnection | HTTPSConnection,
    method: str,
    path: str,
    request: tuple[bytes | Iterator[bytes] | None, dict[str, str]],
) -> Reply:
    """One request and its answer. `request` is body and headers."""
    body, headers = request
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return Reply(answer.status, answer.read())


@contextmanager
def webhook_running(folder: Path, flags: Sequence[str] = ()) -> Iterator[Webhook]:
    """Run the webhook until the block ends; with the examples' inventory unless flags name one.

    However it was spoken to, it must not have failed.
    """
    inventory = [] if "--inventory" in flags else ["--inventory", str(INVENTORY)]
    with running(folder, [*inventory, *flags], start=fork_command) as place:
        webhook = Webhook(place)
        try:
            yield webhook
        finally:
            webhook.close()
        text = webhook.log_text()
        for trouble in ("Traceback", "review failed", "the application failed", '"status":"500'):
            assert trouble not in text, text[text.find(trouble) - 500 :][:3000]


def until(condition: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """Wait until a condition holds and return what it gave; fail when it never does."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.02)
    return found


# What an API server would send.


def gpu_pod(workload: str | None = "dev", resource: str = "nvidia.com/gpu") -> Json:
    """A minimal pod that requests one GPU."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "pod",
            "namespace": "shop",
            "labels": {"gpu-sharing.io/workload": workload} if workload else {},
        },
        "spec": {
            "containers": [
                {"name": "main", "image": "cuda", "resources": {"limits": {resource: "1"}}}
            ]
        },
    }


def question(pod: Json | None, namespace: str = "shop", **changes: Any) -> Json:
    """An AdmissionReview for the creation of a pod; `changes` replace fields of the request."""
    made = api_server.review({"metadata": {"name": "pod"}}, namespace)
    made["request"] |= {"object": pod, **changes}
    return made


def update(old: Json, new: Json, subresource: str = "", **changes: Any) -> Json:
    """An AdmissionReview for an UPDATE of a pod or of a subresource of it."""
    about = {"operation": "UPDATE", "oldObject": old, "subResource": subresource}
    return question(new, **about, **changes)


def patched(pod: Json, response: Json) -> Json:
    """The pod after the patch of an answer, by an RFC 6902 library."""
    operations = json.loads(base64.b64decode(response["patch"])) if "patch" in response else []
    after: Json = jsonpatch.apply_patch(copy.deepcopy(pod), operations)
    return after
