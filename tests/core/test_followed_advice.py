"""Who does literally what a refusal says to write instead is let in."""

import copy
import re
from collections.abc import Callable, Iterator
from itertools import chain, product
from typing import Any

import pytest

from tests.core import casefiles
from webhook.core.simulate import simulate
from webhook.core.verdict import Verdict

Json = dict[str, Any]
GPU = re.compile(r"nvidia\.com/(gpu|mig-)")
OURS = "gpu-sharing.io/"


def judged(case: Json, pod: Json) -> Verdict:
    """What both sides say of a pod in a case's setting."""
    asked = casefiles.request(case, pod)
    return simulate(asked, pod, casefiles.rules(case), casefiles.cluster(case)).verdict


def requests(pod: Json) -> Iterator[Json]:
    containers = (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"])
    for container in containers:
        yield from (container.get("resources") or {}).values()


def set_limits(pod: Json, number: str) -> None:
    for found in requests(pod):
        for name in [each for each in found if GPU.match(each)]:
            found.pop(name)
            found["nvidia.com/gpu"] = number


def set_number(pod: Json, number: str) -> None:
    for found in requests(pod):
        found |= {name: number for name in found if GPU.match(name)}


def set_label(pod: Json, workload: str) -> None:
    pod["metadata"]["labels"] = {
        **pod["metadata"].get("labels", {}),
        f"{OURS}workload": workload,
    }


def set_profile(pod: Json, profile: str) -> None:
    pod["metadata"]["annotations"][f"{OURS}mig-profile"] = profile


def remove_profile(pod: Json, _: str) -> None:
    del pod["metadata"]["annotations"][f"{OURS}mig-profile"]


def set_memory(pod: Json, mebibytes: str) -> None:
    pod["metadata"]["annotations"][f"{OURS}gpu-memory"] = f"{mebibytes}Mi"


def remove_selector(pod: Json, key: str) -> None:
    del pod["spec"]["nodeSelector"][key]


def set_selector(pod: Json, pair: str) -> None:
    key, _, value = pair.partition("=")
    pod["spec"]["nodeSelector"][key] = value


ADVICE: dict[str, Callable[[Json, str], None]] = {
    r"write limits nvidia\.com/gpu: (\d+)": set_limits,
    r"request (\d+) or fewer": set_number,
    r"; write (1)\b": set_number,
    r"label gpu-sharing\.io/workload: ([a-z|]+)": set_label,
    r"write annotation gpu-sharing\.io/mig-profile: (.+?) for what": set_profile,
    r"remove (annotation gpu-sharing\.io/mig-profile)": remove_profile,
    r"most offered to it is (\d+) MiB; lower annotation": set_memory,
    r"its nodeSelector (\S+?)=\S* selects none": remove_selector,
    r"they have (\S+=\S+): write that": set_selector,
}
"""A mend as refusals word it, with what to write, and what does it."""


def mends(text: str) -> list[tuple[Callable[[Json, str], None], str]]:
    return [
        (change, value)
        for pattern, change in ADVICE.items()
        for found in re.finditer(pattern, text)
        for value in re.split(r"\||, | or ", found[1])
    ]


def followed(pod: Json, texts: list[str]) -> Iterator[tuple[str, Json]]:
    """Yield each way to do all that a refusal says, and the pod after it.

    What to write, and what keeps the pod from that, are two things to do.
    """
    parts = [[mends(each) for each in text.split("but not where the pod can go")] for text in texts]
    if not all(any(each) for each in parts):  # of something nothing is said that a pod could write
        return
    for chosen in product(*filter(None, chain(*parts))):
        made = copy.deepcopy(pod)
        for change, value in chosen:
            change(made, value)
        yield ", ".join(f"{change.__name__} {value}" for change, value in chosen), made


def refused() -> Iterator[tuple[str, Json, Json, list[str]]]:
    """Yield a name, a case, its pod and all that a refusal says of it."""
    for path in casefiles.paths():
        case = casefiles.read(path)
        pod = {"metadata": {}, **case["pod"]}
        if case.get("operation", "CREATE") != "CREATE" or case.get("mode"):
            continue
        found = judged(case, pod)
        if not found.allowed:
            yield path.stem, case, pod, [each.text for each in found.violations]


FOLLOWED = [
    pytest.param(case, made, id=f"{name}: {change}")
    for name, case, pod, texts in refused()
    for change, made in followed(pod, texts)
]


@pytest.mark.parametrize(("case", "pod"), FOLLOWED)
def test_advice_that_is_followed_lets_the_pod_in(case: Json, pod: Json) -> None:
    found = judged(case, pod)
    assert found.allowed, found.message


def test_every_wording_of_advice_is_followed() -> None:
    done = " ".join(str(each.id) for each in FOLLOWED)
    assert [change for change in ADVICE.values() if change.__name__ not in done] == []
