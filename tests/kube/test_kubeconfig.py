"""Kubeconfigs: what each amounts to, beside what the official client reads in the same files."""

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path

import pytest
import yaml

from tests.fake_apiserver.kubeconfig import issue_pair
from webhook.kube.cluster_config import current_namespace, load_cluster_config
from webhook.kube.errors import ApiError
from webhook.kube.kubeconfig import kubeconfig_files, read_login
from webhook.kube.proxy import bypassed, proxy_from_environment

USERS = [
    ({"token": "abc"}, "Bearer abc"),
    ({"username": "jane", "password": "pass:word"}, "Basic amFuZTpwYXNzOndvcmQ="),
    ({"tokenFile": "token"}, "Bearer from-a-file"),
    ({}, None),
]


def written(folder: Path, user: dict, cluster: dict | None = None, name: str = "config") -> Path:
    (folder / "token").write_text("from-a-file\n")
    whole = {
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "https://api:6443", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    }
    path = folder / name
    path.write_text(yaml.safe_dump(whole))
    return path


def header(path: Path) -> str | None:
    async def ask() -> str | None:
        return await load_cluster_config(str(path)).authorization()

    return asyncio.run(ask())


@pytest.mark.parametrize(("user", "expected"), USERS)
def test_a_user_shows_a_header(tmp_path, user, expected):
    assert header(written(tmp_path, user)) == expected


@pytest.mark.parametrize("user", [{"token": "abc"}, {"tokenFile": "token"}, {}])
def test_the_official_client_reads_the_same(tmp_path, user):
    from kubernetes import client, config  # noqa: PLC0415 - a second, of one process of the tests

    path = written(tmp_path, user)
    official = client.Configuration()
    config.load_kube_config(str(path), client_configuration=official)
    sent = official.get_api_key_with_prefix("BearerToken")
    assert header(path) == (sent and sent.strip())  # it sends a token file's last newline too
    assert load_cluster_config(str(path)).server == official.host
    assert current_namespace(str(path)) == "n"


@pytest.fixture
def pair():
    return issue_pair("127.0.0.1")


@pytest.mark.parametrize("inline", [True, False])
def test_certificates_stand_in_the_file_or_beside_it(tmp_path, pair, inline):
    user, cluster = {}, {}
    for key, content in (("client-certificate", pair.cert), ("client-key", pair.key)):
        user |= placed(tmp_path, key, content, inline=inline)
    cluster |= placed(tmp_path, "certificate-authority", pair.cert, inline=inline)
    tls = load_cluster_config(str(written(tmp_path, user, cluster))).tls
    assert len(tls.get_ca_certs()) == 1
    assert tls.verify_mode is ssl.CERT_REQUIRED


def placed(folder: Path, key: str, content: bytes, *, inline: bool) -> dict[str, str]:
    if inline:
        return {f"{key}-data": base64.b64encode(content).decode()}
    (folder / f"{key}.pem").write_bytes(content)
    return {key: f"{key}.pem"}


def test_a_cluster_can_be_trusted_blindly_and_have_another_name(tmp_path):
    cluster = {"insecure-skip-tls-verify": True, "tls-server-name": "kubernetes"}
    found = load_cluster_config(str(written(tmp_path, {}, cluster)))
    assert found.tls.verify_mode is ssl.CERT_NONE
    assert found.server_name == "kubernetes"


def plugin(folder: Path, prints: str, **more: object) -> dict:
    script = folder / "login.py"
    script.write_text(f"import os, sys\n{prints}\n")
    named = {"command": sys.executable, "args": [str(script)], "apiVersion": "v"}
    return {"exec": {**named, **more}}


CREDENTIAL = 'print(\'{"apiVersion":"v","kind":"ExecCredential","status":%s}\')'


def asked_twice(folder: Path, expires: str) -> tuple[list[str | None], int]:
    """Two headers from a program, and how often it ran."""
    runs = folder / "runs"
    prints = f"open({str(runs)!r}, 'a').write('x')\n" + CREDENTIAL % f'{{"token":"t"{expires}}}'
    found = load_cluster_config(str(written(folder, plugin(folder, prints))))

    async def twice() -> list[str | None]:
        return [await found.authorization() for _ in range(2)]

    return asyncio.run(twice()), len(runs.read_text())


def test_a_program_is_asked_again_when_its_token_has_expired(tmp_path):
    expires = ',"expirationTimestamp":"2001-01-01T00:00:00Z"'
    assert asked_twice(tmp_path, expires) == (["Bearer t", "Bearer t"], 2)


def test_a_program_is_asked_once_where_its_token_lasts(tmp_path):
    assert asked_twice(tmp_path, "") == (["Bearer t", "Bearer t"], 1)


def test_a_program_gets_its_variables_and_is_told_of_the_cluster(tmp_path):
    prints = (
        "import json\ni=json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "t=os.environ['REGION']+i['spec']['cluster']['server']+i['apiVersion']\n"
        "print(json.dumps({'apiVersion':'v','kind':'ExecCredential','status':{'token':t}}))"
    )
    user = plugin(tmp_path, prints, env=[{"name": "REGION", "value": "eu"}])
    user["exec"]["provideClusterInfo"] = True
    assert header(written(tmp_path, user)) == "Bearer euhttps://api:6443v"


def test_a_certificate_that_a_program_prints_is_shown(tmp_path, pair):
    status = {"clientCertificateData": pair.cert.decode(), "clientKeyData": pair.key.decode()}
    whole = {"apiVersion": "v", "kind": "ExecCredential", "status": status}
    (tmp_path / "answer").write_text(json.dumps(whole))
    prints = f"print(open({str(tmp_path / 'answer')!r}).read())"
    assert header(written(tmp_path, plugin(tmp_path, prints))) is None


@pytest.mark.parametrize(
    ("prints", "said"),
    [
        ("sys.exit(3)", "ended with 3"),
        ("print('hello')", "printed no ExecCredential"),
        ("print('{}')", "printed no ExecCredential"),
    ],
)
def test_a_program_that_fails_is_named(tmp_path, prints, said):
    with pytest.raises(ApiError, match=said):
        header(written(tmp_path, plugin(tmp_path, prints)))


def test_a_program_that_is_missing_is_named_with_its_hint(tmp_path):
    user = {"exec": {"command": "no-such-login", "apiVersion": "v", "installHint": "install it"}}
    with pytest.raises(ApiError, match="no-such-login is not there; install it"):
        header(written(tmp_path, user))


def test_a_login_that_clients_no_longer_have_is_an_error_with_the_mend(tmp_path):
    path = written(tmp_path, {"auth-provider": {"name": "gcp"}})
    with pytest.raises(ApiError, match="use the exec plugin"):
        load_cluster_config(str(path))


def test_an_id_token_of_oidc_is_sent(tmp_path):
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": "x"}}}
    assert header(written(tmp_path, user)) == "Bearer x"


def test_acting_as_somebody_else_is_asked_for(tmp_path):
    user = {"token": "abc", "as": "bob", "as-groups": ["a", "b"]}
    found = load_cluster_config(str(written(tmp_path, user)))
    groups = [("Impersonate-Group", "a"), ("Impersonate-Group", "b")]
    assert found.impersonation == (("Impersonate-User", "bob"), *groups)


def test_of_several_files_the_first_that_names_a_thing_wins(tmp_path):
    folders = [tmp_path / each for each in "ab"]
    for folder in folders:
        folder.mkdir()
    first = written(folders[0], {"tokenFile": "token"})
    second = written(folders[1], {"token": "second"}, {"server": "https://second"})
    text = yaml.safe_load(second.read_text())
    text["contexts"].append({"name": "other", "context": {"cluster": "c", "user": "u"}})
    second.write_text(yaml.safe_dump(text))
    names = f"{first}:{tmp_path / 'absent'}:{second}"
    login = read_login(kubeconfig_files(None, {"KUBECONFIG": names}), "other")
    assert login.cluster.server == "https://api:6443"
    assert login.user.token_file == str(folders[0] / "token")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clusters": []}, "no cluster 'c'; there are: none"),
        ({"users": None}, "no user 'u'"),
        ({"contexts": [{"name": "x", "context": {}}]}, "no context 'here'; there are: x"),
        ({"current-context": ""}, "no current-context; name one with --context"),
        ({"clusters": "c"}, "is no kubeconfig: Expected"),
        ({"clusters": [{"name": "c", "cluster": {"server": "nowhere"}}]}, "is no URL"),
    ],
)
def test_a_kubeconfig_that_is_not_whole_is_an_error_that_says_what_is_missing(
    tmp_path, change, said
):
    path = written(tmp_path, {})
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(ApiError, match=said):
        load_cluster_config(str(path))


def test_without_a_file_the_error_names_the_place(tmp_path):
    with pytest.raises(ApiError, match="there is no kubeconfig"):
        load_cluster_config(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("host", "no_proxy", "expected"),
    [
        ("api.example.com", "", False),
        ("api.example.com", "*", True),
        ("api.example.com", "example.com", True),
        ("api.example.com", ".example.com", True),
        ("example.com", ".example.com", False),
        ("example.com", "example.com:6443", True),
        ("example.com", "example.com:443", False),
        ("notexample.com", "example.com", False),
        ("10.1.2.3", "192.168.0.0/16, 10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("fd00::1", "fd00::/8", True),
        ("127.0.0.1", "", True),
        ("localhost", "", True),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(host, no_proxy, expected):
    assert bypassed(host, 6443, no_proxy) is expected


def test_the_proxy_is_that_of_the_scheme():
    proxies = {"https": "http://proxy:3128", "no": "10.0.0.0/8"}
    assert proxy_from_environment("https://api:6443", proxies) == "http://proxy:3128"
    assert proxy_from_environment("http://api", proxies) is None
    assert proxy_from_environment("https://10.0.0.1", proxies) is None
