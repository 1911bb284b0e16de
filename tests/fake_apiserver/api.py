"""The API server without HTTP: from a request to an answer, by rights, faults and the store."""

from __future__ import annotations

import copy
import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fake_apiserver import event_rules
from tests.fake_apiserver.answers import (
    Answer,
    StatusError,
    forbidden,
    json_answer,
    status,
    text_answer,
)
from tests.fake_apiserver.patches import patched
from tests.fake_apiserver.paths import Json, ResourcePath, parse_path
from tests.fake_apiserver.rights import Allowed, anything
from tests.fake_apiserver.selectors import selects
from tests.fake_apiserver.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0  # seconds that a test waits for what should happen at once
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` as it came, without the query."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> ResourcePath:
        """The path taken apart."""
        return parse_path(self.path)

    @property
    def verb(self) -> str:
        """The verb as RBAC names it: get, list, watch, create, update, patch, delete."""
        if self.method != "GET":
            return VERBS[self.method]
        if self.params.get("watch") in ("true", "1"):
            return "watch"
        return "get" if self.resource.name else "list"

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored."""
        return self.params.get("dryRun") == "All"


@dataclass(frozen=True, slots=True)
class Admitted:
    """An object as it came out of admission, and what is told to who sent it."""

    item: Json
    warnings: tuple[str, ...] = ()


class FakeApi:
    """Objects, rights, admission and planned faults.

    `allowed` is RBAC; `admit` gets the request of each new pod, and returns Admitted or raises
    StatusError; `texts` are the bodies of subresources (`…/pods/x/log`, `…/proxy/metrics`) by
    path, or their HTTP status; `groups` are API groups that discovery knows. `faults` come before
    the truth, one a request.
    """

    def __init__(self) -> None:
        self.store = Store()
        self.allowed: Allowed = anything
        self.admit: Callable[[Request], Admitted] = lambda request: Admitted(request.body)
        self.texts: dict[str, str | int] = {}
        self.groups: set[str] = set()
        self.page_size = 500
        self.requests: list[Request] = []
        self.faults: dict[tuple[str, str], deque[Any]] = defaultdict(deque)
        self.lock = threading.RLock()
        self.news = threading.Condition(self.lock)
        self.store.listeners.append(lambda _change: self.notify())

    # What tests do.

    def plan(self, verb: str, path: str, *faults: Any) -> None:
        """Let the next requests of a verb run into these: an Answer, or one of `faults`."""
        with self.lock:
            self.faults[verb, path].extend(faults)

    def seen(self, verb: str, path: str) -> list[Request]:
        """Return the requests of a verb to a path so far."""
        with self.lock:
            return [each for each in self.requests if (each.verb, each.path) == (verb, path)]

    def writes(self) -> list[tuple[str, str]]:
        """Return verb and path of the requests so far that may have changed something."""
        return [(each.verb, each.path) for each in self.requests if each.method != "GET"]

    def wait_for(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Return once a condition on requests or objects holds; fail if it does not in time."""
        with self.news:
            assert self.news.wait_for(condition, seconds), f"it did not happen in {seconds:g} s"

    def notify(self) -> None:
        """Have conditions looked at again."""
        with self.news:
            self.news.notify_all()

    # What requests do.

    def take_fault(self, request: Request) -> Any:
        """Note a request, and return the fault planned for it, None for none."""
        with self.lock:
            self.requests.append(request)
            self.notify()
            faults = self.faults[request.verb, request.path]
            return faults.popleft() if faults else None

    def answer(self, request: Request) -> Answer:
        """Answer a request truthfully."""
        if request.path.startswith("/apis/") and request.path.count("/") == 2:
            return self._discovered(request.path.rpartition("/")[2])
        try:
            self.authorize(request)
            return self._answered(request)
        except StatusError as error:
            return error.answer

    def authorize(self, request: Request) -> None:
        """Refuse what the caller may not do; raise StatusError."""
        path = request.resource
        if not self.allowed(request.verb, path.right, path.scope):
            raise forbidden(path, request.verb)

    def _discovered(self, group: str) -> Answer:
        if group not in self.groups:
            return status(404, "the server could not find the requested resource")
        return json_answer(200, {"kind": "APIGroup", "preferredVersion": {"version": "v1"}})

    def _answered(self, request: Request) -> Answer:
        path = request.resource
        if path.subresource == "eviction":
            with self.lock:
                return json_answer(201, self._remove(path))
        if path.subresource:
            return self._text(request.path)
        if request.verb == "create":
            return self._create(request)
        with self.lock:
            return self._changed(request) if request.method != "GET" else self._read(request)

    def _read(self, request: Request) -> Answer:
        path = request.resource
        found = self.store.read(path) if path.name else self._page(path, request.params)
        return json_answer(200, found)

    def _changed(self, request: Request) -> Answer:
        before = self.store.read(request.resource)
        if request.verb == "delete":
            return json_answer(200, before if request.dry_run else self._remove(request.resource))
        if request.verb == "update":
            return self._replace(request, request.body)
        kind = request.headers.get("Content-Type", "")
        return self._replace(request, patched(before, request.body, kind))

    def _remove(self, path: ResourcePath) -> Json:
        return self.store.remove(path.path)

    def _text(self, path: str) -> Answer:
        found = self.texts.get(path, 404)
        if isinstance(found, int):
            return status(found, "the server is currently unable to handle the request")
        return text_answer(200, found)

    def _create(self, request: Request) -> Answer:
        admitted = Admitted(request.body)
        if request.resource.resource == "pods":
            admitted = self.admit(request)  # without the lock: a webhook may ask us meanwhile
        with self.lock:
            item = copy.deepcopy(admitted.item)
            metadata = item["metadata"]
            if "name" not in metadata:
                metadata["name"] = f"{metadata['generateName']}{self.store.version:05}"
            path = parse_path(f"{request.path}/{metadata['name']}")
            if path.group == event_rules.GROUP:
                event_rules.check_new_event(path, item)
            made = self.store.create(path, item, dry_run=request.dry_run)
            return json_answer(201, made, admitted.warnings)

    def _replace(self, request: Request, item: Json) -> Answer:
        path = request.resource
        before, item = self.store.read(path), copy.deepcopy(item)
        if path.group == event_rules.GROUP:
            event_rules.check_changed_event(path, before, item)
        return json_answer(200, self.store.replace(path, item, dry_run=request.dry_run))

    def _page(self, path: ResourcePath, params: dict[str, str]) -> Json:
        """One page of a list; its token names the version that the whole list shows."""
        version, _, start = params.get("continue", f"{self.store.version}:0").partition(":")
        if int(version) < self.store.oldest:
            raise StatusError(410, "The provided continue parameter is too old")
        items = [item for item in self.store.listed(path) if selects(item, params)]
        end = int(start) + min(int(params.get("limit", self.page_size)), self.page_size)
        metadata = {"resourceVersion": version}
        if end < len(items):
            metadata["continue"] = f"{version}:{end}"
        page = items[int(start) : end] or None  # Go writes an empty list as null
        return {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": page}


def body_of(data: bytes) -> Any:
    """Read the body of a request, None where there is none."""
    return json.loads(data) if data else None
