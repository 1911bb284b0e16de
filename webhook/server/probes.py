"""The answers to all that is no review: probes, and paths that are not there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from webhook.server.http.messages import Handler, HttpRequest, HttpResponse

PATHS: Final = ("/mutate", "/validate", "/advise", "/policy", "/readyz")


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of one check, whose `detail` is for people, also where all is well."""

    ok: bool
    detail: str = "ok"


Check = Callable[[], Health]


def create_probes(checks: Mapping[str, Check]) -> Handler:
    """Return the handler of these paths. Readiness means that all `checks` are ok.

    | path | answer |
    |---|---|
    | /livez | 200: the process lives, so that no outage elsewhere restarts it |
    | /readyz | 200 or 503, with every check by name, with ok or why not |
    | / | 200 with the paths that are there |
    | any of these, neither GET nor HEAD | 405 |
    | any other | 404 |
    """

    def readyz() -> HttpResponse:
        found = {name: check() for name, check in checks.items()}
        ready = all(health.ok for health in found.values())
        details = {name: health.detail for name, health in found.items()}
        status = "200 OK" if ready else "503 Service Unavailable"
        return _json(status, status="ok" if ready else "not ready", checks=details)

    answers: dict[str, Callable[[], HttpResponse]] = {
        "/livez": lambda: _json("200 OK", status="ok"),
        "/readyz": readyz,
        "/": lambda: _json("200 OK", name="gpu-sharing webhook", paths=PATHS),
    }

    def handle(request: HttpRequest) -> HttpResponse:
        answer = answers.get(request.path)
        if answer is None:
            message = f"no such path; there are {', '.join(PATHS)}"
            return _json("404 Not Found", error="Not Found", message=message)
        if request.method not in ("GET", "HEAD"):
            message = f"{request.path} is only read: send a GET"
            return _json("405 Method Not Allowed", error="Method Not Allowed", message=message)
        return answer()

    return handle


def _json(status: str, /, **body: object) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "application/json")], msgspec.json.encode(body))
