"""Who may ask for reviews: whose certificate the CA of clients signed, and a name names."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import forked
from webhook_process import Reply, Webhook, exchange, gpu_pod, question, until, webhook_running

from examples.demo.local_server import TlsClient
from tests.e2e.cluster.pki import Authority, Pair, new_authority
from webhook.server.tls import names_of

JSON = {"Content-Type": "application/json"}
NAME = "kube-apiserver-webhooks"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
def webhook(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    flags = ["--client-ca", str(authority.pair.certificate), "--client-name", "other"]
    flags += ["--client-name", NAME]
    with webhook_running(tmp_path_factory.mktemp("callers"), flags) as running:
        yield running


def ask(
    webhook: Webhook, client: Pair | None, path: str = "/mutate", method: str = "POST"
) -> Reply:
    context = ssl.create_default_context(cafile=webhook.place.ca)
    if client:
        context.load_cert_chain(client.certificate, client.key)
    connection = TlsClient(webhook.place.port, context, 30)
    try:
        body = json.dumps(question(gpu_pod("dev"))).encode() if method == "POST" else None
        return exchange(connection, method, path, (body, JSON))
    finally:
        connection.close()


def test_who_is_named_is_answered(webhook: Webhook, authority: Authority) -> None:
    assert ask(webhook, authority.client("named", NAME)).response["allowed"]


@pytest.mark.parametrize("path", ["/mutate", "/validate", "/audit/validate", "/advise", "/policy"])
def test_nobody_else_is_answered(webhook: Webhook, authority: Authority, path: str) -> None:
    for client in (None, authority.client("kubelet", "system:node:a", "system:nodes")):
        reply = ask(webhook, client, path)
        assert (reply.status, "--client-name" in reply.text) == (403, True)


def test_a_certificate_of_another_authority_is_no_certificate(
    webhook: Webhook, tmp_path: Path
) -> None:
    stranger = new_authority(tmp_path).client("stranger", NAME)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(webhook, stranger)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_need_no_certificate(webhook: Webhook, path: str) -> None:
    assert ask(webhook, None, path, "GET").status == 200


def test_a_new_authority_is_taken_as_a_new_certificate_is(
    tmp_path: Path, authority: Authority
) -> None:
    trusted = tmp_path / "clients.crt"
    trusted.write_bytes(authority.pair.certificate.read_bytes())
    later = new_authority(tmp_path / "later").client("named", NAME)
    with webhook_running(tmp_path, ["--client-ca", str(trusted), "--client-name", NAME]) as webhook:
        trusted.write_bytes((tmp_path / "later/ca.crt").read_bytes())
        until(lambda: is_answered(webhook, later))


def is_answered(webhook: Webhook, client: Pair) -> bool:
    try:
        return ask(webhook, client).status == 200
    except (ssl.SSLError, ConnectionError):
        return False


NAMED = {"subject": ((("organizationName", "a"),), (("commonName", "b"),))}


@pytest.mark.parametrize(
    ("certificate", "names"),
    [
        (None, set()),
        (NAMED, {"b"}),
        (
            NAMED | {"subjectAltName": (("DNS", "c"), ("URI", "spiffe://d"))},
            {"b", "c", "spiffe://d"},
        ),
    ],
)
def test_common_and_alternative_names_are_names(certificate: Any, names: set[str]) -> None:
    assert names_of(certificate) == names


@pytest.mark.parametrize("flags", [["--client-ca", "ca.crt"], ["--client-name", NAME]])
def test_one_flag_without_the_other_is_refused(flags: list[str]) -> None:
    done = forked("serve", "--tls-cert", "a", "--tls-key", "b", *flags)
    expected = "error: --client-ca and --client-name: expected both, or neither\n"
    assert (done.code, done.err[-len(expected) :]) == (2, expected)
