"""The Flask app of what is not a review: probes and what to say to a lost visitor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of one check; `detail` is for people, also where all is well."""

    ok: bool
    detail: str = "ok"


Check = Callable[[], Health]


def create_app(checks: Mapping[str, Check]) -> Flask:
    """Return the app; `checks` are what readiness means, by name."""
    app = Flask(__name__, static_folder=None)

    @app.get("/livez")
    def livez() -> ResponseReturnValue:
        """The process answers; nothing else, so that no outage elsewhere restarts us."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """Every check by name, with ok or why not."""
        found = {name: check() for name, check in checks.items()}
        ready = all(health.ok for health in found.values())
        told = {name: health.detail for name, health in found.items()}
        return jsonify(status="ok" if ready else "not ready", checks=told), 200 if ready else 503

    @app.get("/")
    def index() -> ResponseReturnValue:
        """Where to go."""
        return jsonify(
            name="gpu-sharing webhook", paths=["/mutate", "/validate", "/advise", "/readyz"]
        )

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        """Say what is wrong in the same form as everything else."""
        return jsonify(error=error.name, message=error.description), error.code or 500

    return app
