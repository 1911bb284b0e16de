"""The Flask app of probes, which also answers unknown paths."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of one check, whose `detail` is for people, also where all is well."""

    ok: bool
    detail: str = "ok"


Check = Callable[[], Health]


def create_app(checks: Mapping[str, Check]) -> Flask:
    """Return the app. Readiness means that all `checks` are ok."""
    app = Flask(__name__, static_folder=None)

    @app.get("/livez")
    def livez() -> ResponseReturnValue:
        """Answer that the process lives, so that no outage elsewhere restarts it."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """Answer with every check by name, with ok or why not."""
        found = {name: check() for name, check in checks.items()}
        ready = all(health.ok for health in found.values())
        details = {name: health.detail for name, health in found.items()}
        return jsonify(status="ok" if ready else "not ready", checks=details), 200 if ready else 503

    @app.get("/")
    def index() -> ResponseReturnValue:
        """Answer with the paths that are there."""
        return jsonify(
            name="gpu-sharing webhook",
            paths=["/mutate", "/validate", "/advise", "/policy", "/readyz"],
        )

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        """Answer what is wrong in the same form as everything else."""
        return jsonify(error=error.name, message=error.description), error.code or 500

    return app
