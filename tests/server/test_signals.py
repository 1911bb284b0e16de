"""What signals a replica's processes survive, as files are read again without any."""

import os
import re
import signal
from pathlib import Path

from webhook_process import gpu_pod, question, until, webhook_running

from webhook.server.http.worker import IGNORED

BOOTED = r"Booting worker with pid: (\d+)"


def test_no_signal_makes_gunicorn_start_another_worker(tmp_path: Path) -> None:
    with webhook_running(tmp_path) as webhook:
        (arbiter,) = re.findall(r"Listening at: \S+ \((\d+)\)", webhook.log_text())
        (worker,) = re.findall(BOOTED, webhook.log_text())
        for number in IGNORED:
            os.kill(int(worker), number)
            os.kill(int(arbiter), number)
        os.kill(int(arbiter), signal.SIGUSR1)  # signals are handled one after the other
        until(lambda: "Handling signal: usr1" in webhook.log_text())
        assert webhook.review("/mutate", question(gpu_pod()))["allowed"]
        assert re.findall(BOOTED, webhook.log_text()) == [worker]
