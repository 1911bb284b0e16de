"""`gpu-sharing logs`: the trail of all replicas as one, and events where it cannot be read."""

import argparse
import io
import json

import pytest
import yaml
from command_line import Done, Json, Run
from fake_cluster import FakeCluster, edits, log_of, views
from small_cluster import NOW, REPLICAS, TWO_FOR_DEV, our_event

from tests.fake_apiserver.answers import text_answer
from webhook.cli.cluster import times
from webhook.cli.verbs.logs.render import row_of
from webhook.core import record
from webhook.core.api import reasons
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.verdict import allowed
from webhook.process.log import Log, Logs
from webhook.server import audit_log
from webhook.server.metrics import create_metrics


def records(done: Done) -> list[Json]:
    found: list[Json] = json.loads(done.out)
    return found


def test_the_lines_of_all_replicas_are_one_by_time(look: Run) -> None:
    done = look("logs")
    assert (done.code, done.err) == (0, "")
    heading, *lines = done.out.splitlines()
    titles = ("TIME", "NAMESPACE", "OWNER", "WORKLOAD", "REQUESTED", "GOT", "REASON", "MODE")
    assert tuple(heading.split()) == titles
    stamps = [line.split()[0] for line in lines[:4]]
    assert stamps == sorted(stamps)
    assert lines[0].split()[1:] == [
        *("shop", "ReplicaSet/recommender-7d4b9", "inference", "1", "gpu", "1", "mig-1g.5gb"),
        *("mig_slice", "enforce"),
    ]
    assert "Why refused:" in lines
    assert f"{TWO_FOR_DEV} (2 times)" in done.out
    assert "note: skipped: 2 lines that are no JSON" in done.out


def test_the_lines_for_tools_are_as_they_were_written(look: Run) -> None:
    done = look("logs", "-o", "json")
    found = records(done)
    assert len(found) == 4
    assert {"event", "uid", "side", "containers", "reason", "dryRun"} <= found[0].keys()
    assert "skipped: 2 lines" in done.err
    assert yaml.safe_load(look("logs", "-o", "yaml").out) == found


def test_a_wide_line_has_its_message(look: Run) -> None:
    out = look("logs", "-o", "wide", "--refused").out
    assert out.splitlines()[0].split()[-1] == "MESSAGE"
    assert out.splitlines()[1].endswith(TWO_FOR_DEV)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--refused"], 2),
        (["--reason", "mig_slice"], 2),
        (["--workload", "dev"], 2),
        (["--mode", "audit"], 0),
        (["--mode", "enforce"], 4),
        (["-n", "shop"], 4),
        (["-n", "lab"], 0),
        (["--owner", "chat"], 2),
        (["--owner", "deployment/chat"], 2),
        (["--owner", "cha"], 0),
        (["--owner", "chat-7d4b9"], 2),
    ],
)
def test_filters(look: Run, words: list[str], count: int) -> None:
    assert len(records(look("logs", "-o", "json", *words))) == count


def test_what_says_little_is_left_out_but_counted(look: Run, cluster: FakeCluster) -> None:
    line = json.loads(cluster.texts[log_of(REPLICAS[0])].splitlines()[1])
    checked = line | {"side": "validate", "reason": "safe"}
    tried = line | {"dryRun": True}
    cluster.texts |= dict.fromkeys(map(log_of, REPLICAS), "")
    cluster.texts[log_of(REPLICAS[0])] = "\n".join(map(json.dumps, (line, checked, tried)))
    done = look("logs")
    assert "left out: 2 dry runs and validations that found nothing (--all)" in done.out
    assert len(records(look("logs", "-o", "json"))) == 1
    everything = look("logs", "--all")
    assert "enforce (dry run)" in everything.out
    assert len(records(look("logs", "--all", "-o", "json"))) == 3


def test_since_is_what_the_replicas_are_asked_for(look: Run) -> None:
    assert look("logs", "--since", "2h").code == 0
    wrong = look("logs", "--since", "soon")
    assert (wrong.code, wrong.out) == (2, "")
    assert "write a time such as 10m" in wrong.err


def test_no_line_is_said_in_words(look: Run, cluster: FakeCluster) -> None:
    cluster.texts |= dict.fromkeys(map(log_of, REPLICAS), "")
    done = look("logs", "--since", "10m")
    assert (done.code, done.out) == (0, "No such decision in the last 10m.\n")


def test_a_replica_that_cannot_be_read_is_named_and_the_rest_shown(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.texts[log_of(REPLICAS[0])] = 400
    done = look("logs")
    assert done.code == 0
    assert f"replica {REPLICAS[0]} is left out" in done.out
    assert len(records(look("logs", "-o", "json"))) == 2


def test_a_namespace_user_sees_events_and_which_right_is_missing(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.allowed = edits("shop")
    done = look("logs")
    assert (done.code, done.err) == (0, "")
    [line] = [each for each in done.out.splitlines() if "Deployment/chat" in each]
    assert line.split()[-1] == "17"
    assert "these are events of namespace shop" in done.out
    assert "kubectl auth can-i list pods -n gpu-sharing" in done.out
    [found] = records(look("logs", "-o", "json"))
    assert (found["reason"], found["allowed"]) == ("several_gpus_not_allowed", False)
    assert found["count"] == 17


def test_rewrites_among_events_tell_asks_and_grants(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = views("shop")
    owner = cluster.find("deployments", "shop", "recommender")
    note = "main: nvidia.com/gpu: 1 -> nvidia.com/mig-1g.5gb: 1 (mig)"
    change = {"name": "main", "from": {"nvidia.com/gpu": 1}, "to": {"nvidia.com/mig-1g.5gb": 1}}
    decision = {"workload": "inference", "strategy": "mig", "containers": [change]}
    told = our_event(owner, "mig_slice", note, decision=decision)
    cluster.put("events", told | {"action": "Rewritten"})
    out = look("logs").out
    assert "1 gpu" in out
    assert "1 mig-1g.5gb" in out


def test_without_the_right_to_read_logs_events_are_shown_too(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.allowed = lambda _verb, what, _where: what != "pods/log"
    done = look("logs", "-n", "shop")
    assert done.code == 0
    assert "get pods/log in namespace gpu-sharing" in done.out
    assert "kubectl auth can-i get pods --subresource=log -n gpu-sharing" in done.out


def test_a_stranger_is_told_both(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = edits("team-blue")
    done = look("logs")
    assert (done.code, done.out) == (2, "")
    assert "list pods in namespace gpu-sharing" in done.err
    assert "list events in namespace shop" in done.err


def test_where_nothing_is_installed_that_is_said(look: Run) -> None:
    done = look("logs", "--install", "elsewhere/mine")
    assert (done.code, done.out) == (2, "")
    assert "no replica of the webhook is there (looked for elsewhere/mine" in done.err


def test_following_prints_lines_as_they_come(look: Run, cluster: FakeCluster) -> None:
    for name in REPLICAS:
        ending = text_answer(200, str(cluster.texts[log_of(name)]))
        cluster.plan("get", log_of(name), ending, ending)
    done = look("logs", "-f", "--refused")
    assert done.code == 2, "these logs end, those of a replica that lives do not"
    assert done.out.count("several_gpus_not_allowed]") == 2
    assert all(f"replica {name} ended" in done.err for name in REPLICAS)
    lines = look("logs", "-f", "-o", "json").out.splitlines()
    assert len([json.loads(line) for line in lines]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reason", "mig_slize"], "did you mean mig_slice"),
        (["-f", "-o", "yaml"], "-o json"),
    ],
)
def test_a_wrong_call_says_what_is_right(look: Run, words: list[str], said: str) -> None:
    done = look("logs", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


NOISE = (b"", b"{", b"[]", b"null", b'{"event":"review"}', b"\xff", b"[" * 100_000, b'{"event":1}')


@pytest.mark.parametrize("line", NOISE, ids=range(len(NOISE)))
def test_a_line_that_is_none_of_ours_is_none(line: bytes) -> None:
    assert record.from_log_line(line) is None


def test_what_the_server_writes_can_be_read() -> None:
    stream = io.BytesIO()
    logs = Logs(Log(stream), Log(stream))
    written = audit_log.create_observer(logs, create_metrics())
    request = AdmissionRequest(Side.MUTATE, Mode.AUDIT, "u", "CREATE", "shop", name="a")
    written.reviewed(request, allowed(reasons.NO_GPU), 0.001)
    line = record.from_log_line(stream.getvalue())
    assert line is not None
    row = row_of(line)
    assert (row["namespace"], row["owner"], row["mode"]) == ("shop", "Pod/a", "audit")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (61, "1m1s"),
        (180, "3m"),
        (3600, "1h"),
        (9000, "2h30m"),
        (300000, "3d"),
    ],
)
def test_spans_are_shown_as_kubectl_does(seconds: int, text: str) -> None:
    assert times.short(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)]
)
def test_spans_are_read(text: str, seconds: int) -> None:
    assert times.span(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "0m", "1.5h", "1w"])
def test_no_span_is_said_so(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        times.span(text)


def test_moments_are_utc() -> None:
    assert times.clock(NOW.replace(microsecond=0)) == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert times.clock(None) is None
