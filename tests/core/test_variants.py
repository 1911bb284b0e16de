"""Variants of the ways around, as an attacker would try them; `tests/cel` has CEL judge them."""

import variants
from casefiles import Case

from tests.core import casefiles
from webhook.core.admit import admit
from webhook.core.gpu.values import Inventory

VARIANTS = tuple(variants.variants())
TENANT = {"gpu-sharing.io/tenant": "blue"}


def outcome(pod: Case, namespace: Case) -> str:
    request = casefiles.request({"side": "validate", "namespace": namespace}, pod)
    verdict = admit(request, casefiles.rules({}), Inventory())
    if verdict.allowed:
        return "told" if verdict.warnings else "passes"
    return "refused"


def test_of_others_each_variant_comes_to_what_is_written() -> None:
    assert [each for each in VARIANTS if outcome(each[1], {}) != each[0]] == []


def test_to_tenants_all_is_refused_that_is_told_to_others() -> None:
    told = [pod for expected, pod in VARIANTS if expected != "passes" or "hostPath" in str(pod)]
    assert [pod for pod in told if outcome(pod, TENANT) != "refused"] == []
