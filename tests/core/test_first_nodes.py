"""A worker that starts is asked before it has read the nodes: reviews wait for them."""

import asyncio
from collections.abc import Awaitable, Iterable

import large_cluster
import msgspec
from memo_server import POD, POLICY, Server, envelope, post
from msgspec.structs import replace

from webhook.core.api.node import Node
from webhook.server.admission.app import create_handler
from webhook.server.http.messages import HttpResponse
from webhook.server.state import ServerState


def asked(patience: float, nodes: Iterable[Node] | None) -> HttpResponse:
    """Ask before nodes are known, which are told then, if there are any."""
    state = ServerState(POLICY, patience=patience)
    handle = create_handler(replace(Server().app, state=state))

    async def ask() -> HttpResponse:
        answer = handle(post("/mutate", envelope(POD)))
        assert isinstance(answer, Awaitable)
        waiting = asyncio.ensure_future(answer)
        await asyncio.sleep(0)
        if nodes is not None:
            await state.set_nodes(nodes)
        return await waiting

    return asyncio.run(ask())


def test_a_review_waits_for_the_first_nodes() -> None:
    answer = asked(60, [msgspec.convert(each, Node) for each in large_cluster.nodes(5, 5)])
    assert (answer.status, b"patch" in answer.body) == ("200 OK", True)


def test_a_review_waits_no_longer_than_the_api_server_for_it() -> None:
    answer = asked(0, None)
    assert answer.status == "503 Service Unavailable"
    assert answer.body == b"the nodes of the cluster are not known yet"
