"""The check of GPUs and shares that another plugin or scheduler gives."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import mig, names, quantity
from webhook.core.api import pod as pods
from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import COMMON, NOT_ZERO, matches, some
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote
from webhook.core.gpu.resources import NETWORK, OTHER_VENDORS

# Names that speak of NVIDIA's GPUs, whoever serves them.
_PRODUCTS: Final = "[abhpv][1-38]00|g[bh]([23]00|10)|a30|a10g?|a16|a40|[hl]20|l40?s?|t4|p40|k80"
_FAMILIES: Final = (
    "cuda|directx|nvidia|geforce|quadro|tesla|hopper|blackwell|rubin|jetson|"
    r"tensor-fusion|clear\.ml"
)
_OF_A_GPU: Final = (
    rf"(?i)gpu|{_FAMILIES}|(^|[/.])mig-|[0-9]g\.[0-9]+gb"
    rf"|[/._-]({_PRODUCTS}|(rtx|dgx|mig|mps|vfio|dri|drm)[0-9]*)([._-]|\Z)"
)
_OTHERS: Final = f"{OTHER_VENDORS}|{NETWORK}"
_OURS: Final = rf"^({re.escape(names.GPU)}|{re.escape(names.SHARED_GPU)})\Z|{mig.RESOURCE_PATTERN}"
_LONGEST: Final = 317  # characters of a name with its prefix, in Kubernetes
# Run:ai, KAI Scheduler, KubeShare, TensorFusion, ClearML, HAMi …; they share without any request.
_SCHEDULERS: Final = (
    *("run.ai", "runai", "kai.scheduler", "hami.io", "volcano.sh", "aliyun.com", "tencent.com"),
    *("koordinator.sh", "doslab.io", "nos.nebuly.com", "4pd.io", "volcengine.com", "baidu.com"),
)
_SHARING_KEY: Final = (
    r"^gpu-(fraction|memory)(-[a-z-]*)?\Z"
    r"|^(clearml-injector|elasticgpu\.io|sharedgpu|tensor-fusion\.ai)/|^ALIYUN_COM_GPU|^scheduler\.framework\.gpushare"
    rf"|^([^/]*\.)?({'|'.join(map(re.escape, _SCHEDULERS))})/[^/]*(gpu|device)"
    r"|^nvidia\.com/((no)?use-gpu|vgpu)"  # HAMi's
)
_WORDS: Final = ("gpu", "GPU", "device", "tensor-fusion", "clearml")
"""One is in each of those keys, and in few others, which costs less to see than a pattern."""
_KINDS: Final = ("annotation", "label")
_SERVED_BY: Final = (  # the first that a name matches
    (rf"^{re.escape(names.MIG)}", "no MIG device of the device plugin"),
    (r"^nvidia\.com/(gpumem|gpucores)", "HAMi's"),
    (r"^volcano\.sh/", "Volcano's"),
    (r"^aliyun\.com/", "Alibaba Cloud's"),
    (r"", "no name of NVIDIA's device plugin"),
)


def foreign_resources(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yield each requested name of a GPU that the NVIDIA device plugin does not serve.

    Fields: names in resources.limits and requests of every container, with a quantity but zero.
    Source: Project-HAMi/HAMi, volcano-sh/devices, AliyunContainerService/gpushare-device-plugin,
    KubeVirt (vGPU types); compute instances share the memory of their GPU instance.

    | name | found |
    |---|---|
    | nvidia.com/gpu, nvidia.com/gpu.shared, nvidia.com/mig-<profile>[.shared] | no: decided |
    | deviceclass.resource.kubernetes.io/… | no: that is found by `resource_claims` |
    | any other that speaks of GPUs, NVIDIA, CUDA, MIG or a product of NVIDIA's | yes |
    | the same of another vendor (amd.com/gpu), a network device (nvidia.com/hostdev) | no |
    | any other | no |
    """
    resources = container.resources
    both = (resources.limits, resources.requests) if resources else ()
    asked = [pair for each in both for pair in (each or {}).items()]
    foreign = {name: raw for name, raw in asked if is_foreign(name) and not quantity.is_zero(raw)}
    beside = foreign and any(re.search(_OURS, k) and not quantity.is_zero(raw) for k, raw in asked)
    for name in foreign:
        whose = next(text for pattern, text in _SERVED_BY if re.search(pattern, name))
        mend = f"and may be shared; request {names.GPU} instead"
        mend = "and no node serves both; keep one of them" if beside else mend
        text = f"{name[:50]} is {whose}, {mend}"
        where = f"resources.limits[{name}]"
        yield Finding(Violation(CHECK.reason, place.name, text, where))


def sharing_annotations(seen: Subject) -> Iterator[Finding]:
    """Yield each annotation or label by which a scheduler gives a part of a GPU.

    Fields: metadata.annotations and labels, which can change at any time, so the value is
    evidence too. Source: NVIDIA/KAI-Scheduler docs/gpu-sharing; KubeShare; TensorFusion; ClearML's
    Fractional GPU Injector.
    """
    maps = (pods.annotations(seen.pod), pods.labels(seen.pod))
    for kind, found in zip(_KINDS, maps, strict=True):
        for key, value in found.items():
            if re.search(_SHARING_KEY, key):
                text = f"{kind} {quote(key)} shares a GPU; request {names.GPU} instead"
                where = f"metadata.{kind}s[{key}]"
                yield Finding(Violation(CHECK.reason, "", text, where), value)


def is_foreign(name: str) -> bool:
    """Return whether a name speaks of GPUs that the device plugin does not serve."""
    if name in COMMON:
        return False
    name = name[:_LONGEST]  # Kubernetes refuses a longer one, which takes long to read
    speaks = re.search(_OF_A_GPU, name) and not re.search(_OTHERS, name)
    return bool(speaks) and not name.startswith(names.DEVICE_CLASS) and not re.search(_OURS, name)


_CLASS: Final = f"k.startsWith('{names.DEVICE_CLASS}')"
_FOREIGN: Final = (
    f"!(k.startsWith('{names.NVIDIA}') && k.{matches(_OURS)}) && k.{matches(_OF_A_GPU)}"
    f" && !k.{matches(_OTHERS)} && !{_CLASS} && {NOT_ZERO}"
)


def _shares(but: str = "") -> str:
    """Return CEL for a key of a `map` that shares, `but` for some."""
    words = " || ".join(f"k.contains('{word}')" for word in _WORDS)
    shares = f"({words}) && !k.startsWith('{names.PREFIX}') && k.{matches(_SHARING_KEY)}"
    each = some("o.map", "k", shares + but)
    return " || ".join(each.replace("map", f"metadata.{kind}s") for kind in _KINDS)


_SAME: Final = "has(oldObject.map) && k in oldObject.map && oldObject.map[k] == o.map[k]"

CHECK: Final = Check(
    rank=16,
    reason=Reason(
        "foreign_resources",
        Group.WAY_AROUND,
        "The pod requests a GPU under a name that another plugin or scheduler serves.",
        example="`nvidia.com/gpumem: 3000` (HAMi), the annotation `gpu-fraction` (KAI).",
        to_do="request `nvidia.com/gpu`, and memory by `gpu-sharing.io/gpu-memory`.",
        detail=(
            "Nobody here knows whether that is a share. Beside `nvidia.com/gpu` no node serves "
            "both, so the pod would wait."
        ),
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at=(
            "names that speak of GPUs and are not the device plugin's: HAMi, Volcano, Alibaba, "
            "vGPU types, compute instances, malformed MIG names; annotations and labels as "
            "`gpu-fraction` of KAI, `clearml-injector/fraction`"
        ),
        comment="HAMi, Volcano, KAI, vGPU types, …",
    ),
    webhook=PodCondition(pod=_shares(), resource=_FOREIGN),
    backstop=Backstop(
        "a GPU under a name that another plugin or scheduler serves; request nvidia.com/gpu",
        changed=_shares(f" && !({_SAME})"),
    ),
    pod_rule=sharing_annotations,
    container_rule=foreign_resources,
)
