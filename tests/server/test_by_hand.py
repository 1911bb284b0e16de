"""`gpu-sharing serve` as a person starts it: certificates, streams, and what is wrong at once."""

import json
import socket
from pathlib import Path

import pytest
from command_line import Done, forked
from webhook_process import INVENTORY, gpu_pod, question, until, webhook_running

from certs import pair
from examples.demo.local_server import HOST

FLAGS = ("--inventory", str(INVENTORY), "--bind", f"{HOST}:0", "--metrics-bind", "off")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder that the command for it wrote."""
    assert pair.run_pair([str(tmp_path)]) == 0
    return tmp_path


def serve(folder: Path, *flags: str) -> Done:
    """Start the server, which must end by itself; a later flag replaces an earlier one."""
    named = ("--tls-cert", str(folder / pair.CERT), "--tls-key", str(folder / pair.KEY))
    return forked("serve", *named, *FLAGS, *flags)


def test_certificates_are_written_by_one_command(tmp_path: Path, capsys) -> None:
    assert pair.run_pair([str(tmp_path / "new"), "webhook.test", "::1"]) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "new" / name) for name in ("ca.crt", "tls.crt", "tls.key")
    ]
    assert (tmp_path / "new/tls.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "told"), [([], "tls.key: File exists"), (["ä"], "DNSName")], ids=["there", "name"]
)
def test_certificates_that_cannot_be_written_are_named(certificates, arguments, told, capsys):
    assert pair.run_pair([str(certificates), *arguments]) == 2
    assert told in capsys.readouterr().err


def test_of_certificates_all_are_written_or_none(tmp_path: Path, capsys) -> None:
    (tmp_path / "ca.crt").write_text("another's")
    assert pair.run_pair([str(tmp_path)]) == 2
    assert "ca.crt: File exists" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["ca.crt"]


def test_reviews_go_to_standard_output_and_all_else_to_standard_error(tmp_path: Path) -> None:
    with webhook_running(tmp_path) as webhook:
        webhook.review("/mutate", question(gpu_pod()))
        webhook.post("/mutate", b"{}")
        until(lambda: webhook.log("review") and webhook.log("not a review"))
    audit = map(json.loads, webhook.place.audit.read_text().splitlines())
    assert {line["event"] for line in audit} == {"review"}


@pytest.mark.parametrize("flag", ["--bind", "--metrics-bind"])
def test_an_address_in_use_ends_with_2_and_its_flag(certificates: Path, flag: str) -> None:
    with socket.create_server((HOST, 0)) as taken:
        address = f"{HOST}:{taken.getsockname()[1]}"
        done = serve(certificates, flag, address)
    assert done.code == 2
    assert done.err.endswith(f"error: {flag} '{address}': Address already in use\n")
    assert done.out == ""


WRONG = {
    "one address twice": (("--bind", f"{HOST}:18443", "--metrics-bind", f"{HOST}:18443"), "in use"),
    "no such host": (("--bind", "nowhere.invalid:8443"), "--bind 'nowhere.invalid:8443': "),
    "no such address": (("--bind", "192.0.2.1:8443"), "--bind '192.0.2.1:8443': Cannot assign"),
    "no such policy": (("--policy", "gone.yaml"), "error: gone.yaml: No such file"),
    "no such inventory": (("--inventory", "gone.yaml"), "error: gone.yaml: No such file"),
    "a folder as key": (("--tls-key", "/"), "error: / cannot be read: Is a directory"),
    "no such flag": (("--wrong",), "--wrong"),
}


@pytest.mark.parametrize(("flags", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_and_ends_with_2(certificates: Path, flags, told: str) -> None:
    done = serve(certificates, *flags)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err
