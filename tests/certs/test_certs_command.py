"""`python -m certs` as a process, its settings, its loop's voice, its metrics and liveness."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection

import pytest
from certs_api import AUTHORITY, NAMESPACE, SECRETS, SERVING, status
from minting import NOW, verifies

from certs import settings, stored
from certs.flip import Flipper, Probing
from certs.loop import Loop, Voice
from certs.reasons import Reason
from certs.settings import SettingsError
from certs.status import create_app, create_metrics, serving

NAMED = ["--namespace", NAMESPACE]


def command(kubeconfig, *flags):
    arguments = [*NAMED, "--kubeconfig", kubeconfig, "--log-level", "debug", *flags]
    return [sys.executable, "-m", "certs", *arguments]


# Settings.


def test_flags_win_over_the_environment_and_both_over_defaults():
    environment = {
        "GPU_SHARING_CERTS_NAMESPACE": "of-environment",
        "GPU_SHARING_CERTS_SERVICE": "web",
        "GPU_SHARING_CERTS_PROBE_NAMESPACE": "probe",
    }
    found = settings.parse(["--service", "flag", "--validating", "off"], environment)
    assert found.place.namespace == "of-environment"
    assert found.rules.names[0] == "flag.of-environment.svc"
    assert len(found.place.configurations) == 1
    assert found.probing == Probing("probe", None)
    assert (found.kubeconfig, found.once) == (None, False)
    assert found.bind is not None
    assert found.bind[1] == 8080
    assert (found.rules.spread, found.rules.settle) == (timedelta(minutes=5), timedelta(minutes=10))


@pytest.mark.parametrize(
    "flags",
    [
        ["--interval", "0"],
        ["--spread", "soon"],
        ["--settle", "inf"],
        ["--bind", "nowhere"],
        ["--log-level", "loud"],
        ["--probe-again", "-1"],
    ],
)
def test_a_wrong_value_names_its_flag_and_what_is_expected(flags):
    with pytest.raises(SettingsError, match=rf"^{flags[0]} '.*': expected"):
        settings.parse([*NAMED, *flags], {})


# The loop.


@pytest.fixture
def metrics():
    return create_metrics()


@pytest.fixture
def loop(keeper, api, heard, metrics):
    voice = Voice(heard, heard, lambda event, **_: heard(event, reason=event), metrics)
    return Loop(keeper, Flipper(api, Probing(), heard), voice, lambda: NOW)


def test_a_steady_turn_is_one_line_and_a_lasting_problem_is_told_once(loop, heard, store):
    assert loop.turn()
    heard.clear()
    assert loop.turn()
    assert heard == [("steady", {"reason": "steady"})]
    heard.clear()
    store.plan("GET", AUTHORITY, *[(500, status("down"))] * 2)
    assert [loop.turn(), loop.turn(), loop.turn()] == [False, False, True]
    assert [event for event, _ in heard] == ["problem", "problem gone", "steady"]
    assert heard[0][1]["why"] == "The API server did not do what was asked."


@pytest.mark.parametrize("answer", [(409, status("raced")), (200, {"nonsense": True})])
def test_no_answer_whatsoever_ends_the_loop(loop, store, answer, metrics):
    attempts = 3 if answer[0] == 409 else 1
    store.plan("GET", AUTHORITY, *[answer] * attempts)
    assert not loop.turn()
    reason = Reason.RACED if answer[0] == 409 else Reason.UNFORESEEN
    sample = metrics.registry.get_sample_value("gpu_sharing_certs_problem", {"reason": reason})
    assert sample == 1
    assert loop.turn()


def test_it_looks_until_it_is_told_to_stop(loop, store):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) == 3

    loop.run(wait, timedelta(seconds=10))
    assert waits == [10, 10, 10]
    assert loop.alive()


def test_metrics_show_the_ends_the_phase_and_the_problems(loop, metrics):
    loop.turn()
    value = metrics.registry.get_sample_value
    ends = {
        name: value("gpu_sharing_certs_not_after_seconds", {"certificate": name})
        for name in ("ca", "leaf")
    }
    assert ends["leaf"] == (NOW + timedelta(days=90)).timestamp()
    assert ends["ca"] == (NOW + timedelta(days=365)).timestamp()
    assert value("gpu_sharing_certs_phase", {"phase": "steady"}) == 1
    assert value("gpu_sharing_certs_phase", {"phase": "retiring"}) == 0
    assert value("gpu_sharing_certs_last_look_seconds") == NOW.timestamp()


def fetch(port, path):
    """Get a path; gives the status and the body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_healthz_is_about_the_loop_and_every_other_path_has_the_metrics(metrics):
    turning = [True]
    with serving(("127.0.0.1", 0), create_app(metrics.registry, lambda: turning[0])) as port:
        assert fetch(port, "/healthz") == (200, b"ok\n")
        code, body = fetch(port, "/metrics")
        assert code == 200
        assert b"gpu_sharing_certs_problem" in body
        turning[0] = False
        assert fetch(port, "/healthz") == (503, b"the loop has not turned for too long\n")


# The process.


def test_once_makes_everything_and_exits_with_0(store, kubeconfig):
    done = subprocess.run(command(kubeconfig, "--once"), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["reason"] == "ca_missing"
    assert all({"event", "level", "timestamp", "why"} <= line.keys() for line in lines)
    served = stored.read_served(store.objects[SERVING])
    assert not verifies(served.leaf.cert, served.bundle, NOW - timedelta(days=4000))


def test_once_exits_with_1_when_something_is_not_in_place(store, kubeconfig):
    store.plan("POST", SECRETS, (403, status("no right")))
    done = subprocess.run(command(kubeconfig, "--once"), capture_output=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["reason"] == "api_failed"


def test_wrong_settings_exit_with_2_and_say_which(kubeconfig):
    done = subprocess.run(command(kubeconfig, "--interval", "x"), capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: --interval 'x': expected")


def test_sigterm_ends_it_with_0_and_no_word_on_stderr(kubeconfig):
    flags = command(kubeconfig, "--bind", "127.0.0.1:0")
    with subprocess.Popen(
        flags, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as process:
        assert b"ca_missing" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")


def test_a_cluster_that_is_not_there_exits_with_2(tmp_path):
    flags = command(str(tmp_path / "none"), "--once")
    done = subprocess.run(flags, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"ConfigException" in done.stderr
