"""Faults while reviews run: what each may cost, that none lets a pod through, that all heal alone.

docs/performance.md has the table; a rollout, a Secret and a caBundle are in test_40_outages.py, the
API server is in test_30_changes.py.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.installation import NAMESPACE, PORT, Installed, kept_without
from tests.e2e.one_turn import without_a_turn
from tests.e2e.replicas import answering, metric, processes, replicas, restarts, served
from tests.e2e.traffic import traffic
from tests.e2e.user import Json, User, pod, until

pytestmark = pytest.mark.usefixtures("pods_only")
CROWD = Path(__file__).parent / "silent_clients.py"
GENERATION = "gpu_sharing_policy_generation"
WORKER = """
import os, signal, sys
mine = [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]
served = [p for p in mine if b'serve' in open(f'/proc/{p}/cmdline', 'rb').read()]
os.kill(max(served) if sys.argv[1] == 'worker' else 1, signal.SIGKILL)
"""

FILL = """
import contextlib, os
for folder in ('/tmp', '/run/gpu-sharing'):
    with contextlib.suppress(OSError), open(f'{folder}/full', 'wb', buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert not os.statvfs(folder).f_bavail
"""
EMPTY = "import os; [os.unlink(f'{each}/full') for each in ('/tmp', '/run/gpu-sharing')]"


def scale_up_and_down(installed: Installed) -> None:
    """Three replicas, one, and two again."""
    for count in (3, 1, 2):
        where = ("-n", NAMESPACE, f"deployment/{NAMESPACE}", f"--replicas={count}")
        installed.user.kubectl("scale", *where)
        installed.rollout()
        until("so many are left", lambda n=count: len(replicas(installed.user)) == n)


def rotate_everything(installed: Installed) -> None:
    """A new authority and a new leaf, as after their Secrets were lost."""
    user, names = installed.user, (f"{NAMESPACE}-authority", f"{NAMESPACE}-tls")
    before = {name: user.get("-n", NAMESPACE, "secret", name)["metadata"]["uid"] for name in names}
    user.kubectl("-n", NAMESPACE, "delete", "secret", *names)

    def renewed(name: str) -> bool:
        found = user.cluster.kubectl("-n", NAMESPACE, "get", "secret", name, "-o", "json")
        return found.returncode == 0 and json.loads(found.stdout)["metadata"]["uid"] != before[name]

    until("both are there again", lambda: all(map(renewed, names)))


def reload_policy(installed: Installed) -> None:
    """A changed policy reaches the replicas; a wrong one is refused on its way in."""
    user, name = installed.user, f"{NAMESPACE}-policy-in-force"
    good = user.get("-n", NAMESPACE, "configmap", name)["data"]["policy.yaml"]

    def write(text: str) -> tuple[int, str]:
        patch = json.dumps({"data": {"policy.yaml": text}})
        where = ("-n", NAMESPACE, "patch", "configmap", name, "--type=merge", "-p", patch)
        done = user.cluster.kubectl(*where)
        return done.returncode, done.stderr

    code, printed = write(good + "matrix: {dev: {strategies: [mig-sliced]}}\n")
    assert code != 0
    assert "mig-sliced" in printed
    for text in (good + "momentaryTaints: [example.com/reboot]\n", good):
        generations = [metric(user, each, GENERATION) for each in replicas(user)]
        assert write(text)[0] == 0
        for each in replicas(user):  # or the kubelet looks at the mount within a minute
            user.kubectl("-n", NAMESPACE, "annotate", "--overwrite", "pod",
                         each["metadata"]["name"], f"look={len(text)}")  # fmt: skip
        until("both read it", lambda g=generations: _newer(user, g))


def _newer(user: User, before: list[float]) -> bool:
    now = [metric(user, each, GENERATION) for each in replicas(user)]
    return len(now) == len(before) and all(n > b for n, b in zip(now, before, strict=True))


def fill_folders(installed: Installed) -> None:
    """No replica can write to a folder of its own, while the policy changes, for one."""
    for code in (FILL, EMPTY):
        for each in replicas(installed.user):
            _run(installed, each, code)
        if code is FILL:
            reload_policy(installed)


def _run(installed: Installed, replica: Json, code: str, *args: str) -> None:
    where = ("-n", NAMESPACE, "exec", replica["metadata"]["name"], "--", "python", "-c")
    installed.user.kubectl(*where, code, *args)


def kill_a_worker(installed: Installed) -> None:
    """SIGKILL to the process that answers; its parent starts another."""
    _run(installed, answering(installed.user), WORKER, "worker")


def kill_replicas(installed: Installed, count: int) -> None:
    """Pods are deleted without a moment's grace, as when their node is gone."""
    first = answering(installed.user)["metadata"]["name"]
    others = (each["metadata"]["name"] for each in replicas(installed.user))
    names = [first, *(name for name in others if name != first)][:count]
    where = ("-n", NAMESPACE, "pod", *names, "--grace-period=0", "--force")
    installed.user.kubectl("delete", *where)
    installed.rollout()


def crowd_the_replicas(installed: Installed) -> None:
    """To each replica 1,000 clients that say nothing, and 200 bodies of 3 MiB at once."""
    before = [restarts(each) for each in replicas(installed.user)]
    for each in replicas(installed.user):
        where = (each["status"]["podIP"], str(PORT), "1000", "200")
        done = installed.cluster.in_netns([sys.executable, CROWD, *where])
        assert done.returncode == 0, done.stderr
    assert [restarts(each) for each in replicas(installed.user)] == before


def kill_a_container(installed: Installed) -> None:
    """SIGKILL to all processes of a replica, as when it is out of memory."""
    victim = answering(installed.user)
    for each in processes(victim):
        os.kill(each, signal.SIGKILL)
    wanted = (victim["metadata"]["name"], restarts(victim)[1] + 1)
    until("it started anew", lambda: wanted in map(restarts, replicas(installed.user)))
    installed.rollout()


def stop_a_replica(installed: Installed) -> None:
    """All processes of a replica stand still until its Service drops it, and go on."""
    victim = answering(installed.user)
    name = victim["metadata"]["name"]
    for number, there in ((signal.SIGSTOP, False), (signal.SIGCONT, True)):
        for each in processes(victim):
            os.kill(each, number)
        until("its Service knows", lambda t=there: (name in served(installed.user)) is t)


def lose_rights(installed: Installed) -> None:
    """A worker that starts may not read nodes and namespaces for a while."""
    with kept_without(installed, "clusterrolebinding", NAMESPACE):
        _start_worker_in_vain(installed)
    until("both are", lambda: len(served(installed.user)) == len(replicas(installed.user)))


def _start_worker_in_vain(installed: Installed) -> None:
    """It decides by what the last one left, and by more than a few reviews."""
    kill_a_worker(installed)
    until("one is not ready", lambda: len(served(installed.user)) == 1)


def refuse_all(installed: Installed) -> None:
    """The API server answers 429 to all of ours while a worker starts."""
    with without_a_turn(installed):
        _start_worker_in_vain(installed)
    until("both are", lambda: len(served(installed.user)) == len(replicas(installed.user)))


def lose_networks(installed: Installed) -> None:
    """No packet leaves one replica after the other, as when its node is gone."""
    for victim in replicas(installed.user):
        name = victim["metadata"]["name"]
        _network(victim, "add")
        try:
            until("its Service knows", lambda n=name: n not in served(installed.user))
        finally:
            _network(victim, "del")
        until("it is back", lambda n=name: n in served(installed.user))


def _network(replica: Json, verb: str) -> None:
    """Add a rule that no packet may leave, or delete it."""
    inside = ("nsenter", "-n", "-t", str(processes(replica)[0]))
    subprocess.run([*inside, "ip", "rule", verb, "pref", "9", "blackhole"], check=True)


def lose_packets(installed: Installed) -> None:
    """Three in ten packets of a replica are lost, either way, for ten pods of each client."""
    inside = ("nsenter", "-n", "-t", str(processes(answering(installed.user))[0]), "iptables")
    lost = ("-m", "statistic", "--mode", "random", "--probability", "0.3", "-j", "DROP")
    ways = ("INPUT", "OUTPUT")
    for way in ways:
        subprocess.run([*inside, "-A", way, *lost], check=True)
    enough = installed.calls("mutate.gpu-sharing.io") + 20
    try:
        until("they go on", lambda: installed.calls("mutate.gpu-sharing.io") > enough)
    finally:
        for way in ways:
            subprocess.run([*inside, "-D", way, *lost], check=True)


FAULTS: dict[str, tuple[Callable[[Installed], None], int]] = {
    "scaled up and down": (scale_up_and_down, 0),
    "authority and leaf are new": (rotate_everything, 0),
    "policy changes": (reload_policy, 0),
    "full folders": (fill_folders, 0),
    "silent clients and large bodies": (crowd_the_replicas, 0),
    "no network of a replica": (lose_networks, 20),
    "lost packets": (lose_packets, 12),
    "a replica stands still": (stop_a_replica, 20),
    "no rights for a worker that starts": (lose_rights, 4),
    "429 for a worker that starts": (refuse_all, 4),
    "kill -9 of a worker": (kill_a_worker, 4),
    "kill -9 of a container": (kill_a_container, 12),
    "kill -9 of a replica": (partial(kill_replicas, count=1), 12),
    "kill -9 of both replicas": (partial(kill_replicas, count=2), 200),
}
"""What happens, and how many reviews it may cost: two run at any time."""


@pytest.mark.parametrize("name", FAULTS)
def test_reviews_go_on(installed: Installed, user: User, team: str, name: str) -> None:
    happen, most = FAULTS[name]
    with traffic(user, team) as seen:
        until("reviews are answered", lambda: seen.rewritten > 5)
        happen(installed)
        after = seen.rewritten
        until("reviews are answered after it", lambda: seen.rewritten > after + 10)
    assert len(seen.wrong) <= most, seen.wrong
    assert seen.unsafe == 0
    assert all("failed calling webhook" in each for each in seen.wrong), seen.wrong
    assert "mig-1g.5gb" in user.create(team, pod("on", "inference"), "-o", "json")[1]
