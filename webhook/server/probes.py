"""The Flask app of probes and unknown paths."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Final

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from msgspec import Struct
from werkzeug.exceptions import HTTPException

from webhook.server.http.messages import Handler, HttpRequest, HttpResponse

_PATHS: Final = ("/mutate", "/validate", "/advise", "/policy", "/readyz")


class Health(Struct, frozen=True):
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
    app = _create_app(checks)

    def handle(request: HttpRequest) -> HttpResponse:
        with app.request_context(_environ(request)):
            response = app.full_dispatch_request()
        return HttpResponse(response.status, list(response.headers), response.get_data())

    return handle


def _create_app(checks: Mapping[str, Check]) -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/livez")
    def livez() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        found = {name: check() for name, check in checks.items()}
        ready = all(health.ok for health in found.values())
        details = {name: health.detail for name, health in found.items()}
        return jsonify(status="ok" if ready else "not ready", checks=details), 200 if ready else 503

    @app.get("/")
    def index() -> ResponseReturnValue:
        return jsonify(name="gpu-sharing webhook", paths=_PATHS)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        return jsonify(error=error.name, message=error.description), error.code or 500

    return app


def _environ(request: HttpRequest) -> dict[str, object]:
    """Return an environment of method and path: no header and no body reaches the app."""
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(),
    }
