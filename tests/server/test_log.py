"""The log of a server whose reader is away: reviews go on, and what is missing is told."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from webhook_process import Webhook, gpu_pod, question, until, webhook_running

from webhook.process.log import PatientPipe

FULL = 70  # lines of 1 kB, more than the 64 KiB of a pipe
LINE = b"x" * 1023 + b"\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe that nobody reads."""
    ends = os.pipe()
    yield ends
    for each in ends:
        os.close(each)


def read_all(descriptor: int) -> bytes:
    """Everything that is in a pipe."""
    os.set_blocking(descriptor, False)
    found = b""
    while True:
        try:
            found += os.read(descriptor, 65536)
        except BlockingIOError:
            return found


def test_lines_without_room_are_left_out_and_counted(pipe: tuple[int, int]) -> None:
    log = PatientPipe(pipe[1])
    for _ in range(FULL):
        log.write(LINE)
    before = read_all(pipe[0])
    log.write(b"on\n")
    told, last = read_all(pipe[0]).replace(LINE, b"").splitlines()[-2:]
    missing = FULL - (len(before) // len(LINE))
    assert json.loads(told)["lines"] in (missing, missing - 1)  # one may have waited half written
    assert last == b"on"


def test_a_line_of_which_a_part_fits_is_written_whole(pipe: tuple[int, int]) -> None:
    log, long = PatientPipe(pipe[1]), b"y" * 200_000 + b"\n"
    log.write(long)
    found = b""
    while len(found) < len(long):
        found += read_all(pipe[0])
        log.flush()
    assert found == long


@pytest.mark.parametrize("full", [False, True])
def test_lines_are_kept_back_while_the_reader_is_gone_or_the_disk_full(*, full: bool) -> None:
    end, descriptor = os.pipe()
    os.close(end)
    if full:
        os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)
    log = PatientPipe(descriptor)
    for line in (b"a\n", b"b\n", b"c\n"):
        log.write(line)
    end, again = os.pipe()
    os.dup2(again, descriptor)
    log.write(b"d\n")
    first, told, last = read_all(end).splitlines()
    assert (first, json.loads(told)["lines"], last) == (b"a", 2, b"d")


def test_reviews_go_on_while_nobody_reads_the_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with webhook_running(tmp_path) as webhook:
            for _ in range(200):  # lines of 600 bytes
                assert Webhook.review(webhook, "/mutate", question(gpu_pod("dev")))["allowed"]
            read_all(reader)
            Webhook.review(webhook, "/mutate", question(gpu_pod("dev")))
            until(lambda: b"log_lines_left_out" in read_all(reader))
            log.unlink()
            log.touch()  # the process is read through to its end
    finally:
        os.close(reader)
