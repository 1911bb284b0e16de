"""The rules of the checks and their CEL in deploy/install.yaml judge generated pods alike.

The webhook is asked whenever it would refuse or patch, and the backstop refuses exactly what each
check claims for it. `make e2e` judges more.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.cel import rendered
from tests.cel.admissions import admissions
from tests.cel.evaluator import Evaluator
from tests.cel.protocol import Case, Json, Judgement
from tests.core import casefiles, variants
from webhook.core.admit import admit
from webhook.core.api import denials
from webhook.core.api.added import added_part
from webhook.core.api.pod import Pod
from webhook.core.api.reason import Reason
from webhook.core.canonical import canonical
from webhook.core.checks.check import Check, Treatment
from webhook.core.checks.finding import Finding, Subject
from webhook.core.checks.registry import CHECKS, REASONS
from webhook.core.decision import safety
from webhook.core.decision.classify import classify
from webhook.core.decision.values import Question
from webhook.core.gpu import meaning
from webhook.core.gpu.values import Inventory
from webhook.core.policy.load import parse_policy
from webhook.core.verdict import Verdict

E2E = os.environ.get("GPU_SHARING_E2E_RUN") == "1"
POLICY = parse_policy(casefiles.DEFAULT_POLICY, casefiles.DEFAULT_POLICY)
INSTALL = rendered.read()
MUTATE = INSTALL.webhook("mutate.gpu-sharing.io")
VALIDATE = INSTALL.webhook("validate.gpu-sharing.io")
BACKSTOP = INSTALL.policy("gpu-sharing-backstop")
CLAIMED = [each for each in CHECKS if each.treatments.tenants is Treatment.REFUSE]
BATCH = 50


@dataclass(frozen=True)
class Judges:
    """The running evaluators."""

    mutate: Evaluator
    validate: Evaluator
    backstop: Evaluator


@pytest.fixture(scope="module")
def judges() -> Iterator[Judges]:
    with (
        Evaluator(MUTATE.rules) as mutate,
        Evaluator(VALIDATE.rules) as validate,
        Evaluator(BACKSTOP.rules) as backstop,
    ):
        yield Judges(mutate, validate, backstop)


def labels(case: Case) -> Json:
    assert case.namespace is not None
    found: Json = case.namespace["metadata"]["labels"]
    return found


def verdict(case: Case, side: str) -> Verdict:
    """What the webhook answers."""
    short = {"side": side, "namespace": labels(case), "operation": case.operation}
    more = {"subresource": case.request.get("subResource", ""), "old": case.old}
    assert case.object is not None
    asked = casefiles.request(short | {k: v for k, v in more.items() if v}, case.object)
    return admit(canonical(asked, POLICY), POLICY, Inventory())  # as the server does


def question(case: Case, pod: Json) -> Question:
    return classify(casefiles.msgspec.convert(pod, Pod), labels(case), POLICY)


def found_by(check: Check, seen: Subject) -> set[Finding]:
    pod_rule = check.pod_rule(seen) if check.pod_rule else ()
    return {
        *pod_rule,
        *(
            finding
            for place, container in seen.containers.items()
            if check.container_rule
            for finding in check.container_rule(seen, place, container)
        ),
    }


def must_refuse(check: Check, case: Case) -> bool:
    """Whether the backstop must refuse a request for what this check newly finds."""
    assert case.object is not None
    asked = question(case, case.object)
    seen = safety.subject_of(asked, POLICY)
    to_all = check.treatments.others is Treatment.REFUSE
    if not (to_all or asked.constraints.isolated):
        return False
    found, added = found_by(check, seen), seen
    if case.old is not None:
        before = structs.replace(
            safety.subject_of(question(case, case.old), POLICY),
            namespace_tenant=seen.namespace_tenant,
            isolated=seen.isolated,
        )
        found = set() if check.only_created else found - found_by(check, before)
        added = structs.replace(
            safety.subject_of(added_question(case), POLICY), strategies=seen.strategies
        )
    return bool(found and check.backstop.claims(seen)) or check.backstop.taken(added)


def added_question(case: Case) -> Question:
    """What the webhook reads of the part that an update adds."""
    old, now = (casefiles.msgspec.convert(each, Pod) for each in (case.old, case.object))
    return classify(added_part(old, now), labels(case), POLICY)


def refused_requests(case: Case) -> dict[Reason, bool]:
    """What the backstop must say of the requests of a pod that comes, or enters a pool."""
    assert case.object is not None
    asked = question(case, case.object)
    amounts = set(safety.subject_of(asked, POLICY).strategies.values())
    shared = any(each and not each.traits.isolated for each in amounts)
    left = meaning.values_left(asked.pod, TENANT)
    own = left is not None and left <= {asked.constraints.namespace_tenant}
    foreign = meaning.is_present(asked.pod, TENANT) and not own
    before = case.old is not None and question(case, case.old).pod
    entered = before and foreign and not meaning.is_present(before, TENANT)
    looked_at = case.old is None or bool(entered)
    return {
        denials.NOT_REWRITTEN: looked_at and None in amounts,
        denials.TENANT_NEEDS_ISOLATION: looked_at
        and bool((foreign and amounts) or (shared and asked.constraints.isolated)),
    }


def refuses(reason: Reason, judged: Judgement) -> bool:
    """Whether the backstop is asked, and says so."""
    asked = judged.matches(each.name for each in BACKSTOP.conditions)
    [name] = [each.name for each in BACKSTOP.validations if each.message.endswith(f"[{reason}]")]
    assert judged.results[name].error is None, (reason.code, judged.results[name])
    return asked is True and judged.results[name].value is False


def compare(judges: Judges, cases: list[Case]) -> None:
    """Assert that rules and CEL agree; a malformed or too large pod is refused in any case."""
    judged = zip(
        cases,
        judges.mutate.judge(cases),
        judges.validate.judge(cases),
        judges.backstop.judge(cases),
        strict=True,
    )
    for case, mutate, validate, backstop in judged:
        if mutate.refused:  # the API server cannot read it
            continue
        mutated = verdict(case, "mutate")
        if mutated.patch or not mutated.allowed:
            assert mutate.matches(each.name for each in MUTATE.conditions), (case, mutated)
        validated = verdict(case, "validate")
        if not validated.allowed:
            assert validate.matches(each.name for each in VALIDATE.conditions), (case, validated)
        assert case.object is not None
        pods = [pod for pod in (case.object, case.old) if pod]
        unread = refuses(denials.TOO_LARGE, backstop)
        unread = unread or any(question(case, pod).violations for pod in pods)
        claims = {each.reason: must_refuse(each, case) for each in CLAIMED}
        for reason, expected in (claims | refused_requests(case)).items():
            refused = refuses(reason, backstop)
            assert expected == refused or unread, (reason.code, expected, case.to_json())


def made(container: Json, **spec: object) -> Case:
    """A pod of one container that a tenant creates."""
    metadata = {"name": "p", "labels": spec.pop("labels", {})}
    metadata["annotations"] = spec.pop("annotations", {})
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "c", **container}], **spec}}
    return Case(pod, namespace={"metadata": {"labels": {TENANT: "blue"}}})


def adding(name: str) -> Json:
    return {"securityContext": {"capabilities": {"add": [name]}}}


def environment(name: str, value: str) -> Json:
    return {"env": [{"name": name, "value": value}]}


def annotated(key: str, value: str) -> Case:
    return made({}, annotations={key: value})


def hosting(path: str) -> Case:
    return made({}, volumes=[{"name": "v", "hostPath": {"path": path}}])


def of_others(case: Case) -> Case:
    return replace(case, namespace={"metadata": {"labels": {}}})


def sharing(*values: str, operator: str = "In") -> Json:
    return {"key": SHARING, "operator": operator, "values": list(values)}


def nodes(*expressions: Json) -> Json:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


TENANT = "gpu-sharing.io/tenant"
SHARING = "nvidia.com/gpu.sharing-strategy"
SLICES = "nvidia.com/gpu.slices.gi"
ZERO = {"limits": {"nvidia.com/gpu": "0"}}
ONE = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
MEMORY = {"volumeMounts": [{"name": "v", "mountPath": "/dev/shm"}]}  # noqa: S108
DISAGREED = {  # what they judged differently once, or what generated pods are too rarely
    "a long s": (made(adding("\u017fYS_ADMIN")), "capabilities", True),
    "a long s of the baseline": (made(adding("\u017fETUID")), "capabilities", True),
    "own tenant without an operator": (
        made({}, tolerations=[{"key": TENANT, "operator": "", "value": "blue"}]),
        "tolerations",
        False,
    ),
    "a prefix within": (of_others(made(adding("SYS_CAP_ADMIN"))), "capabilities", False),
    "two prefixes": (of_others(made(adding("CAP_CAP_SYS_ADMIN"))), "capabilities", False),
    "a gate by reference": (made(environment("NVIDIA_GDS", "$(X)")), "gpu_visibility", True),
    "a zero beside CUDA_VERSION": (
        made(environment("CUDA_VERSION", "12") | {"resources": ZERO}),
        "gpu_visibility",
        True,
    ),
    "a zero beside envFrom": (made({"envFrom": [{}], "resources": ZERO}), "env_from", False),
    "a lower limit that is none": (
        made(environment("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "all")),
        "mps_environment",
        True,
    ),
    "a mount elsewhere": (
        made({"volumeMounts": [{"name": "v", "mountPath": "/data/nvidia-container-devices"}]}),
        "reserved_mounts",
        False,
    ),
    "doubled slashes": (of_others(hosting("/data//x")), "host_path", False),
    "own tenant by Exists": (
        made(
            {},
            tolerations=[{"key": TENANT, "operator": "Exists", "value": "blue"}],
        ),
        "tolerations",
        True,
    ),
    "CRI-O's device that is none": (
        annotated("devices.crio.io", "/data:/x"),
        "device_annotations",
        True,
    ),
    "a key with a Kelvin sign": (annotated("cdi.\u212a8s.io", "a"), "device_annotations", True),
    "a space behind a path": (hosting("/dev "), "host_path", True),
    "a new line in a path": (hosting("/dev/\nx"), "host_path", True),
    "a runtime in capitals": (made({}, runtimeClassName="NVIDIA"), "runtime_class", True),
    "a pod kept off MPS": (
        made(MEMORY | ONE, affinity=nodes(sharing("mps", operator="NotIn"))),
        "reserved_mounts",
        False,
    ),
    "MPS by nodeSelector": (
        made(MEMORY | ONE, nodeSelector={SHARING: "mps"}),
        "reserved_mounts",
        True,
    ),
    "a tenant by its namespace's workload": (
        replace(
            made({}, hostIPC=True),
            namespace={"metadata": {"labels": {"gpu-sharing.io/workload": "tenant"}}},
        ),
        "host_namespaces",
        True,
    ),
    "a label beside a zero": (
        made({"resources": ZERO}, labels={"gpu-sharing.io/strategy": "mig"}),
        "reserved_names",
        True,
    ),
    "an unshared name without slices": (
        made(ONE, affinity=nodes(sharing("none"))),
        "not_rewritten",
        True,
    ),
    "whole GPUs as they are rewritten": (
        made(ONE, affinity=nodes(sharing("none"), {"key": SLICES, "operator": "DoesNotExist"})),
        "not_rewritten",
        False,
    ),
    "two lists with one value in both": (
        made(ONE, affinity=nodes(sharing("mps", "a"), sharing("mps", "b"))),
        "not_rewritten",
        False,
    ),
    "a shared slice by its name": (
        made({"resources": {"limits": {"nvidia.com/mig-1g.5gb.shared": "1"}}}),
        "not_rewritten",
        False,
    ),
    "a profile that is none": (
        made({"resources": {"limits": {"nvidia.com/mig-odd": "1"}}}),
        "foreign_resources",
        True,
    ),
    "HAMi's name without an ask": (
        made({"resources": {"limits": {"nvidia.com/gpumem": "3000"}}}),
        "foreign_resources",
        True,
    ),
    "another vendor's GPU": (
        made({"resources": {"limits": {"amd.com/gpu": "1"}}}),
        "foreign_resources",
        False,
    ),
    "half a GPU of KAI": (annotated("gpu-fraction", "0.5"), "foreign_resources", True),
    "a claim by name": (
        made({}, resourceClaims=[{"name": "a", "resourceClaimName": "b"}]),
        "shared_claims",
        True,
    ),
    "a claim of a template": (
        made({}, resourceClaims=[{"name": "a", "resourceClaimTemplateName": "b"}]),
        "shared_claims",
        False,
    ),
    "an empty label in a tenant's namespace": (
        made(
            {},
            tolerations=[{"key": TENANT, "value": "blue"}],
            labels={TENANT: ""},
        ),
        "tolerations",
        False,
    ),
}


@pytest.mark.parametrize("name", DISAGREED)
def test_what_was_judged_differently(judges: Judges, name: str) -> None:
    case, code, refused = DISAGREED[name]
    compare(judges, [case])
    [judged] = judges.backstop.judge([case])
    assert refuses(REASONS[code], judged) is refused


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(
    max_examples=100 if E2E else 20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking lists of pods takes minutes
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(cases=st.lists(admissions(), min_size=BATCH, max_size=BATCH))
def test_rules_and_cel_agree(judges: Judges, cases: list[Case]) -> None:
    compare(judges, cases)


def of_file(short: Json) -> Case:
    namespace = {"metadata": {"labels": short.get("namespace", {})}}
    request = {"subResource": short["subresource"]} if "subresource" in short else {}
    operation = short.get("operation", "CREATE")
    return Case(short["pod"], operation, short.get("old"), namespace, request)


def test_rules_and_cel_agree_on_every_case(judges: Judges) -> None:
    files = [casefiles.read(path) for path in casefiles.paths()]
    other = {"policy", "user", "mode"}
    compare(judges, [of_file(each) for each in files if not other & each.keys()])


@pytest.mark.parametrize("owner", [{}, {TENANT: "blue"}], ids=str)
def test_rules_and_cel_agree_on_every_variant(judges: Judges, owner: Json) -> None:
    namespace = {"metadata": {"labels": owner}}
    compare(judges, [Case(pod, namespace=namespace) for _, pod in variants.variants()])


def test_every_validation_of_a_check_is_one() -> None:
    codes = [each.message.rpartition("[")[2].rstrip("]") for each in BACKSTOP.validations]
    assert sorted(codes) == sorted(
        [
            *(each.reason.code for each in CLAIMED),
            *("not_rewritten", "tenant_needs_isolation", "too_large"),
        ]
    )
