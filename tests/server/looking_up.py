"""A server that looks namespaces up at the API server of a kubeconfig, for as long as it is told.

KUBECONFIG and LOOKUP_SECONDS are of the environment. It knows the nodes of the examples and one
namespace, `known`.
"""

import asyncio
import os
from pathlib import Path

from serving import Served, told

from webhook.cli import loaders
from webhook.kube.client import open_client
from webhook.kube.clock import Runtime
from webhook.kube.namespaces import LookupLimits, NamespaceLabels
from webhook.server.admission.app import AdmissionApp, create_handler
from webhook.server.admission.error_boundary import ReviewObserver
from webhook.server.http.messages import plain_response
from webhook.server.http.worker import Application
from webhook.server.state import ServerState

INVENTORY = Path(__file__).parents[2] / "examples" / "inventory.yaml"
KNOWN = {"known": {"gpu-sharing.io/mode": "enforce"}}


def ignore(*_: object) -> None:
    """Learn of a review, and forget it."""


class LookingUp(Served):
    """Reviews as `serve` answers them."""

    def load(self) -> Application:
        """Give the application."""
        client = open_client(os.environ["KUBECONFIG"])
        limits = LookupLimits(seconds=float(os.environ["LOOKUP_SECONDS"]))
        lookup = NamespaceLabels(client, lambda: KNOWN, runtime=Runtime(told), limits=limits)
        state = ServerState(loaders.load_policy(None))

        async def background() -> None:
            async with client:
                text = INVENTORY.read_text(encoding="utf-8")
                await state.set_nodes(loaders.parse_cluster("examples", text).nodes)
                await asyncio.Event().wait()

        observer = ReviewObserver(*[ignore] * 4)
        app = AdmissionApp(
            state=state,
            namespaces=lookup.labels,
            observer=observer,
            judge=lambda _: (),
            fallback=lambda _: plain_response("404 Not Found", ""),
        )
        return Application(create_handler(app), background)
