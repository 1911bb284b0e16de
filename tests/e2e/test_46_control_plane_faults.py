"""Faults of the control plane while reviews run: its store is slow, it is away."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.demo.api_server import review
from tests.e2e.cluster import Cluster
from tests.e2e.cluster.control_plane import ETCD
from tests.e2e.cluster.service import Service
from tests.e2e.installation import PORT, Installed
from tests.e2e.replicas import metric, replicas, restarts
from tests.e2e.traffic import traffic
from tests.e2e.user import Json, User, pod, until

pytestmark = pytest.mark.usefixtures("pods_only")
PROXY = Path(__file__).parent / "slow_proxy.py"
PROXY_PORT = 2377
LATE = 0.2  # seconds by which etcd answers and is asked
AWAY = float(os.environ.get("GPU_SHARING_E2E_AWAY", "10"))  # seconds without an API server
ASK = """
import http.client, ssl, sys
host, port, cert, key = sys.argv[1:]
trusting = ssl._create_unverified_context()
trusting.load_cert_chain(cert, key)
connection = http.client.HTTPSConnection(host, int(port), context=trusting, timeout=10)
connection.request("POST", "/mutate", sys.stdin.read(), {"Content-Type": "application/json"})
print(connection.getresponse().read().decode())
"""


def ask(installed: Installed, replica: Json, body: str) -> Json:
    """What a replica answers to who shows the API server's certificate."""
    folder = installed.cluster.site.authority.directory
    pair = (folder / "webhooks.crt", folder / "webhooks.key")
    command = [sys.executable, "-c", ASK, replica["status"]["podIP"], str(PORT), *pair]
    done = installed.cluster.in_netns(command, data=body)
    assert done.returncode == 0, done.stderr
    answer: Json = json.loads(done.stdout)["response"]
    return answer


def test_replicas_decide_while_the_api_server_is_away(
    installed: Installed, user: User, team: str
) -> None:
    """As before, from what they know; its first pods afterwards are rewritten."""
    before, body = replicas(user), json.dumps(review(pod("on", "inference"), team))
    wanted = [ask(installed, each, body) for each in before]
    installed.cluster.api_server.stop(seconds=2)
    try:
        end = time.monotonic() + AWAY
        while time.monotonic() < end:
            for replica, answer in zip(before, wanted, strict=True):
                assert ask(installed, replica, body) == answer
    finally:
        installed.cluster.api_server.start()
        back = time.monotonic()
        installed.cluster.wait_for_api()
    with traffic(user, team) as seen:
        until("reviews are answered", lambda: seen.rewritten > 10)
        until("both watch again", lambda: all(heard(user, each) > back for each in before))
        after = seen.rewritten
        until("reviews are answered after it", lambda: seen.rewritten > after + 10)
    assert seen.wrong == []
    assert list(map(restarts, replicas(user))) == list(map(restarts, before))


def heard(user: User, replica: Json) -> float:
    """When a replica last heard of nodes and namespaces, whichever is longer ago."""
    return time.monotonic() - metric(user, replica, "gpu_sharing_inventory_age_seconds")


@contextmanager
def store_behind_proxy(cluster: Cluster) -> Iterator[Path]:
    """While the API server reaches etcd by a proxy; gives the file that makes it late."""
    late = cluster.site.sandbox.state / "late"
    late.write_text("0", encoding="ascii")
    port = ETCD.rpartition(":")[2]
    command = [sys.executable, PROXY, str(PROXY_PORT), port, late]
    proxy, direct = Service("slow-etcd", cluster.site.sandbox, command), cluster.api_server.command
    proxy.start()
    cluster.api_server.command = [
        str(each).replace(f":{port}", f":{PROXY_PORT}") for each in direct
    ]
    cluster.restart_apiserver()
    try:
        yield late
    finally:
        late.write_text("0", encoding="ascii")
        cluster.api_server.command = direct
        cluster.restart_apiserver()
        proxy.stop()


def test_no_review_is_lost_while_etcd_is_slow(installed: Installed, user: User, team: str) -> None:
    with store_behind_proxy(installed.cluster) as late, traffic(user, team) as seen:
        until("the namespace is known", lambda: seen.rewritten > 5)
        seen.wrong.clear()  # of a namespace that is not known yet, as replicas connect anew
        late.write_text(str(LATE), encoding="ascii")
        before = seen.rewritten
        let_in, printed = user.create(team, pod("kept", "inference"))
        assert let_in, printed
        until("reviews are answered", lambda: seen.rewritten > before + 10)
    assert seen.wrong == []
    installed.rollout()  # both connected anew to the API server that restarted
