"""`python -m certs` as a process, its settings, its loop's reports, its metrics and liveness."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import aiohttp
import pytest
from installed import AUTHORITY, NAMESPACE, SECRETS, SERVING
from minting import NOW, verifies

from certs import secrets
from certs.__main__ import main
from certs.failure_policy import FailurePolicies, Probing
from certs.loop import Loop
from certs.reasons import CertReason
from certs.settings import parse_settings
from certs.status_server import serve_status
from tests.fake_apiserver.answers import json_answer, status
from webhook.process.flags import Address, SettingsError, read_address

NAMED = ["--namespace", NAMESPACE]


def flags(kubeconfig, *more):
    return [*NAMED, "--kubeconfig", kubeconfig, "--log-level", "debug", *more]


# Settings.


def test_flags_win_over_the_environment_and_both_over_defaults():
    environment = {
        "GPU_SHARING_CERTS_NAMESPACE": "of-environment",
        "GPU_SHARING_CERTS_SERVICE": "web",
        "GPU_SHARING_CERTS_PROBE_NAMESPACE": "probe",
    }
    found = parse_settings(["--service", "flag", "--validating", "off"], environment)
    assert found.objects.service.namespace == "of-environment"
    assert found.rules.names[0] == "flag.of-environment.svc"
    assert len(found.objects.configurations) == 1
    assert found.probing == Probing("probe", None)
    assert (found.kubeconfig, found.once) == (None, False)
    assert found.bind == read_address(":8080")
    assert (found.rules.spread, found.rules.settle) == (timedelta(minutes=5), timedelta(minutes=10))


@pytest.mark.parametrize(
    "wrong",
    [
        ["--interval", "0"],
        ["--spread", "soon"],
        ["--settle", "inf"],
        ["--bind", "nowhere"],
        ["--log-level", "loud"],
        ["--probe-again", "-1"],
    ],
)
def test_a_wrong_value_names_its_flag_and_what_is_expected(wrong):
    with pytest.raises(SettingsError, match=rf"^{wrong[0]} '.*': expected"):
        parse_settings([*NAMED, *wrong], {})


# The loop.


@pytest.fixture
def loop(reconciler, client, reporter):
    policies = FailurePolicies(client, Probing(), reporter)
    return Loop(reconciler, policies, reporter, lambda: NOW)


@pytest.fixture
def turn(runner, loop):
    return lambda: runner.run(loop.reconcile_once())


def test_a_steady_turn_is_one_line_and_a_lasting_problem_is_told_once(turn, heard, server):
    assert turn()
    heard.clear()
    assert turn()
    assert heard == [("steady", {})]
    heard.clear()
    server.plan("get", AUTHORITY, *[status(500, "down")] * 2)
    assert [turn(), turn(), turn()] == [False, False, True]
    assert [event for event, _ in heard] == ["problem", "problem gone", "steady"]
    assert heard[0][1]["why"] == "The API server did not do what was asked."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(409, "raced"), CertReason.RACED),
        (json_answer(200, {"nonsense": True}), CertReason.UNFORESEEN),
        (json_answer(200, ["nonsense"]), CertReason.API_FAILED),
    ],
)
def test_no_answer_whatsoever_ends_the_loop(turn, server, answer, reason, reporter):
    attempts = 3 if reason is CertReason.RACED else 1
    server.plan("get", AUTHORITY, *[answer] * attempts)
    assert not turn()
    labels = {"reason": reason.code}
    assert reporter.registry.get_sample_value("gpu_sharing_certs_problem", labels) == 1
    assert turn()


def test_it_reconciles_until_it_is_told_to_stop(runner, loop, store):
    waits = []

    async def wait(seconds):
        waits.append(seconds)
        return len(waits) == 3

    runner.run(loop.run(wait, timedelta(seconds=10)))
    assert waits == [10, 10, 10]
    assert loop.alive()


def test_metrics_show_the_ends_the_phase_and_the_problems(turn, reporter):
    turn()
    value = reporter.registry.get_sample_value
    ends = {
        name: value("gpu_sharing_certs_not_after_seconds", {"certificate": name})
        for name in ("ca", "leaf")
    }
    assert ends["leaf"] == (NOW + timedelta(days=90)).timestamp()
    assert ends["ca"] == (NOW + timedelta(days=365)).timestamp()
    assert value("gpu_sharing_certs_phase", {"phase": "steady"}) == 1
    assert value("gpu_sharing_certs_phase", {"phase": "retiring"}) == 0
    assert value("gpu_sharing_certs_last_look_seconds") == NOW.timestamp()


def test_healthz_is_about_the_loop_and_every_other_path_has_the_metrics(runner, reporter):
    turning = [True]

    async def fetch(port, path):
        async with aiohttp.request("GET", f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.read()

    async def look():
        address = Address("127.0.0.1", 0)
        async with serve_status(address, reporter.registry, lambda: turning[0]) as port:
            assert await fetch(port, "/healthz") == (200, b"ok\n")
            code, body = await fetch(port, "/metrics")
            assert code == 200
            assert b"gpu_sharing_certs_problem" in body
            turning[0] = False
            dead = b"the loop has not turned for too long\n"
            assert await fetch(port, "/healthz") == (503, dead)

    runner.run(look())


# The process.


def test_once_makes_everything_and_exits_with_0(store, kubeconfig, capsys):
    assert main(flags(kubeconfig, "--once")) == 0
    written = capsys.readouterr()
    assert written.err == ""
    lines = [json.loads(line) for line in written.out.splitlines()]
    assert lines[0]["reason"] == "ca_missing"
    assert all({"event", "level", "timestamp", "why"} <= line.keys() for line in lines)
    served = secrets.read_served(store.objects[SERVING])
    assert not verifies(served.leaf.cert, served.bundle, NOW - timedelta(days=4000))


def test_once_exits_with_1_when_something_is_not_in_place(server, kubeconfig, capsys):
    server.plan("create", SECRETS, status(403, "no right"))
    assert main(flags(kubeconfig, "--once")) == 1
    assert json.loads(capsys.readouterr().out)["reason"] == "api_failed"


def test_wrong_settings_exit_with_2_and_say_which(kubeconfig, capsys):
    assert main(flags(kubeconfig, "--interval", "x")) == 2
    assert capsys.readouterr().err.startswith("error: --interval 'x': expected")


def test_sigterm_ends_it_with_0_and_no_word_on_stderr(kubeconfig):
    words = [sys.executable, "-m", "certs", *flags(kubeconfig, "--bind", "127.0.0.1:0")]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as process:
        assert b"ca_missing" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")


def test_a_cluster_that_is_not_there_exits_with_2(tmp_path, capsys):
    assert main(flags(str(tmp_path / "none"), "--once")) == 2
    assert "there is no kubeconfig" in capsys.readouterr().err
