"""The chart: no drift, values that are checked, objects that the API server takes."""

import pytest

from tests.e2e import chart
from tests.e2e.installation import Installed
from tests.e2e.user import User
from webhook.cli import settings

SETS = {
    "defaults": (),
    "available": ("--set", "profile=available", "--set", "replicas=3"),
    "policy": ("--set-json", 'policy={"matrix":{"dev":{"strategies":["mps"]}}}'),
    "administrators": (
        "--set-json",
        'namespaceLabels.administrators=[{"kind":"Group","name":"platform-admins",'
        '"apiGroup":"rbac.authorization.k8s.io"}]',
    ),
    "bare": (
        *("--set", "networkPolicy.enabled=false", "--set", "podDisruptionBudget.enabled=false"),
        *("--set", "server.priorityClassName=", "--set", "server.port=10250"),
    ),
    "placed": (
        *("--set-json", 'server.nodeSelector={"pool":"system"}'),
        *("--set-json", 'server.tolerations=[{"operator":"Exists"}]'),
        *("--set-json", 'server.podAnnotations={"a":"b"}'),
        *("--set-json", 'server.podLabels={"c":"d"}'),
        *("--set-json", 'server.affinity={"podAntiAffinity":{}}'),
        *("--set", "image.digest=sha256:" + "0" * 64),
    ),
}
FOREIGN = {"cert-manager": ("--set", "certificates.provider=cert-manager")}
MONITORED = {"monitored": ("--set", "serviceMonitor.enabled=true")}
WRONG = {
    "profile=fast": "profile",
    "replicas=0": "replicas",
    "sever.port=1": "sever",
    "server.port=0": "port",
    "policy.kind=Policy": "policy",
    "timeoutSeconds=31": "timeoutSeconds",
}


def test_install_yaml_is_what_the_chart_renders() -> None:
    assert chart.INSTALL.read_text(encoding="utf-8") == chart.install_yaml()


def test_helm_lint_finds_nothing() -> None:
    done = chart.helm("lint", "--strict", str(chart.CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_api_server_takes_every_object(installed: Installed, values: tuple[str, ...]) -> None:
    text = chart.template(*values)
    done = installed.cluster.kubectl("apply", "--dry-run=server", "-f", "-", data=text)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("values", (FOREIGN | MONITORED).values(), ids=FOREIGN | MONITORED)
def test_objects_of_other_projects_are_rendered(values: tuple[str, ...]) -> None:
    """Their CRDs are not on this cluster, so the API server cannot be asked."""
    kinds = {each["kind"] for each in chart.objects(chart.template(*values))}
    assert kinds & {"Certificate", "ServiceMonitor"}


@pytest.mark.parametrize(("value", "named"), WRONG.items(), ids=WRONG)
def test_a_wrong_value_is_refused_by_name(value: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        chart.template("--set", value)


def test_a_policy_of_values_is_one_that_the_webhook_reads(user: User) -> None:
    found = chart.objects(chart.template(*SETS["policy"]))
    (text,) = (o["data"]["policy.yaml"] for o in found if o["kind"] == "ConfigMap")

    assert settings.parse_policy(text)
