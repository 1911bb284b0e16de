"""The chart: no drift, values that are checked, objects that the API server takes."""

from typing import Any

import pytest

from certs.webhook_configuration import ServiceName, bundle_patch, read_configuration
from tests.e2e import chart
from tests.e2e.installation import Installed
from tests.e2e.user import User
from webhook.cli import loaders
from webhook.cli.state_source import UNWATCHED_SECONDS

SETS = {
    "defaults": (),
    "available": ("--set", "profile=available", "--set", "replicas=3"),
    "policy": ("--set-json", 'policy={"matrix":{"dev":{"strategies":["mps"]}}}'),
    "milder": (
        "--set-json",
        'policy={"guards":{"privileged":"warn","hostPath":{"others":"off"}},"exemptUsers":["a"],'
        '"wellKnownLabels":{"replace":[{"label":"a.io/b","value":"c","workload":"dev"}]}}',
    ),
    "administrators": (
        "--set-json",
        'namespaceLabels.administrators=[{"kind":"Group","name":"platform-admins",'
        '"apiGroup":"rbac.authorization.k8s.io"}]',
    ),
    "quiet": ("--set", "advise.enabled=false", "--set", "reasonsPage=off"),
    "advised": (
        *("--set", "timeoutSeconds=1", "--set", "reasonsPage=https://wiki.example.org/gpu?v=1"),
        "--set-json",
        'advise.customResources=[{"apiGroups":["x.io"],"apiVersions":["v1"],"resources":["a"]}]',
    ),
    "bare": (
        *("--set", "networkPolicy.enabled=false", "--set", "podDisruptionBudget.enabled=false"),
        *("--set", "server.priorityClassName=", "--set", "server.port=10250"),
    ),
    "from": ("--set-json", 'networkPolicy.apiServer=["10.0.0.10/32","fd00::/64"]'),
    "asked": ("--set-json", 'apiServerCertificate.names=["kube-apiserver-webhooks","b"]'),
    "placed": (
        *("--set-json", 'server.nodeSelector={"pool":"system"}'),
        *("--set-json", 'server.tolerations=[{"operator":"Exists"}]'),
        *("--set-json", 'server.podAnnotations={"a":"b"}'),
        *("--set-json", 'server.podLabels={"c":"d"}'),
        *("--set-json", 'server.affinity={"podAntiAffinity":{}}'),
        *("--set", "image.digest=sha256:" + "0" * 64),
    ),
}
PLATFORMS = {each.stem: each for each in sorted((chart.ROOT / "deploy/platforms").glob("*.yaml"))}
FOREIGN = {"cert-manager": ("--set", "certificates.provider=cert-manager")}
MONITORED = {"monitored": ("--set", "serviceMonitor.enabled=true")}
WRONG = {
    "profile=fast": "profile",
    "replicas=0": "replicas",
    "sever.port=1": "sever",
    "server.port=0": "port",
    "policy.kind=Policy": "policy",
    "timeoutSeconds=31": "timeoutSeconds",
    "reasonsPage=wiki": "reasonsPage",
    "image.repository=": "image.repository is empty: build the image",
    "advise.kinds=x": "advise",
    "networkPolicy.apiServer[0]=x": "apiServer",
    "advise.customResources=x": "customResources",
    "apiServerCertificate.names[0]=a\\,b": "names",
}


def test_install_yaml_is_what_the_chart_renders() -> None:
    assert chart.INSTALL.read_text(encoding="utf-8") == chart.install_yaml()


def test_helm_lint_finds_nothing() -> None:
    image = f"image.repository={chart.REPOSITORY}"
    done = chart.helm("lint", "--strict", str(chart.CHART), "--set", image)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_api_server_takes_every_object(installed: Installed, values: tuple[str, ...]) -> None:
    text = chart.template(*values)
    done = installed.cluster.kubectl("apply", "--dry-run=server", "-f", "-", data=text)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def validating(*values: str) -> dict[str, Any]:
    """The rendered ValidatingWebhookConfiguration."""
    found = chart.objects(chart.template(*values))
    (made,) = (o for o in found if o["kind"] == "ValidatingWebhookConfiguration")
    return made


def advice(*values: str) -> dict[str, Any]:
    """The entries that only warn, by name."""
    entries = validating(*values)["webhooks"]
    return {e["name"]: e for e in entries if e["clientConfig"]["service"]["path"] == "/advise"}


def pods_of(platform: str) -> dict[str, Any]:
    """The pod specs of both Deployments with the values of a platform."""
    found = chart.objects(chart.template("--values", str(PLATFORMS[platform])))
    made = {
        each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "Deployment"
    }
    return {name: spec["template"]["spec"] for name, spec in made.items()}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_pods_of_every_platform_are_restricted(platform: str) -> None:
    for pod in pods_of(platform).values():
        context = pod["securityContext"]
        assert context["runAsNonRoot"]
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        [container] = pod["containers"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_void_token_is_renewed_before_a_replica_that_cannot_watch_is_not_ready() -> None:
    """By the kubelet, at four fifths of its time and then within a sync of the pod."""
    for pod in pods_of("aks").values():
        [token] = (each for each in pod["volumes"] if each["name"] == "token")
        lives = token["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"]
        assert 0.8 * lives + 90 < UNWATCHED_SECONDS


def test_openshift_chooses_the_ids() -> None:
    for pod in pods_of("openshift").values():
        assert not pod["securityContext"].keys() & {"runAsUser", "runAsGroup", "fsGroup"}
    assert pods_of("aks")["gpu-sharing"]["securityContext"]["runAsUser"] == 10001


def test_aks_has_it_on_the_system_pool() -> None:
    for pod in pods_of("aks").values():
        assert pod["nodeSelector"] == {"kubernetes.azure.com/mode": "system"}
        assert {"key": "CriticalAddonsOnly", "operator": "Exists"} in pod["tolerations"]


def test_autopilot_gets_limits_a_port_and_no_priority() -> None:
    for pod in pods_of("gke-autopilot").values():
        resources = pod["containers"][0]["resources"]
        assert resources["limits"] == resources["requests"]
        assert "priorityClassName" not in pod
    [container] = pods_of("gke-autopilot")["gpu-sharing"]["containers"]
    assert container["ports"][0]["containerPort"] == 10250


def test_with_an_overlay_on_eks_the_webhook_alone_is_on_the_network_of_nodes() -> None:
    pods = pods_of("eks-overlay")
    assert pods["gpu-sharing"]["hostNetwork"]
    assert pods["gpu-sharing"]["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert "hostNetwork" not in pods["gpu-sharing-certificates"]
    values = ("--values", str(PLATFORMS["eks-overlay"]), "--set", "namespace.create=true")
    found = {each["metadata"]["name"]: each for each in chart.objects(chart.template(*values))[:1]}
    labels = found["gpu-sharing"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"


def test_advice_is_never_in_the_way() -> None:
    assert len(advice()) == 3
    for entry in (*advice().values(), *advice(*SETS["advised"]).values()):
        assert (entry["failurePolicy"], entry["sideEffects"]) == ("Ignore", "None")
        assert entry["timeoutSeconds"] <= 2
        modes = entry["namespaceSelector"]["matchExpressions"][0]
        assert modes["values"] == ["enforce", "audit"]


def test_advice_is_asked_only_where_pods_reach_a_gpu_and_no_controller_made_the_object() -> None:
    places = {
        "advise.gpu-sharing.io": "object.spec.template.",
        "advise.cronjobs.gpu-sharing.io": "object.spec.jobTemplate.spec.template.",
    }
    for name, entry in advice().items():
        conditions = {each["name"]: each["expression"] for each in entry["matchConditions"]}
        assert "ownerReferences" in conditions["not-made-by-a-controller"]
        if name in places:
            reach = conditions["pods-can-reach-a-gpu"]
            assert f"has({places[name]}spec.containers)" in reach
            assert "object.spec.containers" not in reach


def test_custom_resources_and_advice_can_be_left_out() -> None:
    assert "advise.custom.gpu-sharing.io" not in advice("--set-json", "advise.customResources=[]")
    assert advice(*SETS["quiet"]) == {}
    (rule,) = advice(*SETS["advised"])["advise.custom.gpu-sharing.io"]["rules"]
    assert (rule["apiGroups"], rule["resources"]) == (["x.io"], ["a"])


def test_the_controller_gives_advice_its_ca_and_leaves_it_at_ignore() -> None:
    made = validating()
    made["metadata"]["resourceVersion"] = "1"
    for entry in made["webhooks"]:
        entry["failurePolicy"] = "Ignore"
    read = read_configuration("it", made, ServiceName(chart.RELEASE, chart.RELEASE))
    assert read.problems == ()
    paths = {each["path"] for each in bundle_patch(read, b"ca")}
    assert len(paths) == len(made["webhooks"]) + 1  # and the resourceVersion
    assert [entry.name for entry in read.due] == ["validate.gpu-sharing.io"]


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
    texts = [o["data"]["policy.yaml"] for o in found if o["kind"] == "ConfigMap"]

    assert len(texts) == 2  # the one in force, and the one that everybody may read
    assert all(map(loaders.parse_policy, texts))
