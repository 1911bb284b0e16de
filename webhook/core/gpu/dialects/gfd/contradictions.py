"""What cannot be true together of GPU Feature Discovery's labels and the amounts beside them."""

from collections.abc import Iterator, Mapping

from webhook.core.api import mig, names
from webhook.core.gpu.dialect import Advertised, too_many, uneven, whole_numbers
from webhook.core.gpu.dialects.gfd.labels import (
    COUNT,
    GPU_LABELS,
    MIG_CAPABLE,
    MIG_STATE,
    MPS_CAPABLE,
    PRODUCT,
    SHARING,
    SLICES,
)
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable


def contradictions(found: Advertised, key: str, replicas_key: str) -> Iterator[Unusable]:
    """Yield labels and amounts that cannot be true together, or that do not tell.

    `key` is the label of the sharing strategy, `replicas_key` that of the replicas.

    | of | labels and amounts | reason |
    |---|---|---|
    | any | mig.config.state pending, rebooting; failed | mig_changing; mig_failed |
    | nvidia.com/gpu | product with -MIG-INVALID | invalid_mig |
    | any | no sharing-strategy | strategy_label_missing |
    | any | none, replicas 0; none, replicas over 1 | devices_gone; replicas_differ |
    | shares | replicas under 2; amount no multiple of them | replicas_differ; not_a_multiple |
    | any | amount over count x replicas | too_many |
    | nvidia.com/gpu | see `_contradictions_of_gpus` | |
    """
    labels = found.labels
    replicas = whole_numbers(labels.get(replicas_key))
    sharing, of_replicas = labels.get(key), f"{replicas_key}={labels.get(replicas_key)}"
    yield from _mig_state(labels)
    if "-MIG-INVALID" in labels.get(PRODUCT, ""):
        detail = f"{PRODUCT}={labels[PRODUCT]}"
        yield found.unusable(UnusableReason.INVALID_MIG, detail)
    if sharing is None:
        yield found.unusable(UnusableReason.STRATEGY_LABEL_MISSING, f"no {key}")
    if sharing == "none" and replicas == 0:
        detail = f"{found.amount} allocatable, {of_replicas}"
        yield found.unusable(UnusableReason.DEVICES_GONE, detail)
    if sharing == "none" and (replicas or 1) > 1:
        yield found.unusable(UnusableReason.REPLICAS_DIFFER, f"{key}=none, {of_replicas}")
    if found.resource.profile is None:
        yield from _contradictions_of_gpus(found, sharing)
    if sharing in ("mps", "time-slicing"):
        yield from uneven(found, replicas, f"{key}={sharing}, {of_replicas}")
    count, of_count = device_count(found)
    most = None if count is None else count * max(replicas or 1, 1)
    yield from too_many(found, most, f"{of_count}, {of_replicas}, {key}={sharing}")


def _contradictions_of_gpus(found: Advertised, sharing: str | None) -> Iterator[Unusable]:
    """What cannot be true of nvidia.com/gpu and nvidia.com/gpu.shared.

    | labels and amounts | reason |
    |---|---|
    | none, product with -SHARED; with -MIG-, no slices | product_differs |
    | none, renamed shares beside it | whole_beside_shares |
    | shares, both names; the product says by -SHARED which is theirs | devices_gone: the other |
    | mps, slices under that name or others | mps_on_slices |
    | mps, mps.capable false | mps_without_daemon |
    """
    labels, product, name = found.labels, found.labels.get(PRODUCT, ""), found.resource.name
    uncut = "-MIG-" in product and SLICES not in labels
    if sharing == "none" and ("-SHARED" in product or uncut):
        detail = f"{SHARING}=none, {PRODUCT}={product}"
        yield found.unusable(UnusableReason.PRODUCT_DIFFERS, detail)
    shared = found.others.get(names.SHARED_GPU)
    if sharing == "none" and shared and found.resource.kind is ResourceKind.GPU:
        detail = f"{found.amount} and {shared} {names.SHARED_GPU} allocatable"
        yield found.unusable(UnusableReason.WHOLE_BESIDE_SHARES, detail)
    theirs = names.GPU if "-SHARED" in product else names.SHARED_GPU
    if sharing in ("mps", "time-slicing") and theirs in found.others and name != theirs:
        detail = f"{found.amount} beside {found.others[theirs]} {theirs}, {PRODUCT}={product}"
        yield found.unusable(UnusableReason.DEVICES_GONE, detail)
    slices = [SLICES] if SLICES in labels else [n for n in found.others if n.startswith(names.MIG)]
    if sharing == "mps" and slices:
        yield found.unusable(UnusableReason.MPS_ON_SLICES, f"{SHARING}=mps with {slices[0]}")
    if sharing == "mps" and labels.get(MPS_CAPABLE) == "false":
        detail = f"{SHARING}=mps, {MPS_CAPABLE}=false"
        yield found.unusable(UnusableReason.MPS_WITHOUT_DAEMON, detail)


def _mig_state(labels: Mapping[str, str]) -> Iterator[Unusable]:
    """What mig-manager says of the node (mig-parted deployments/container/reconfigure-mig.sh)."""
    state = labels.get(MIG_STATE)
    detail = f"{MIG_STATE}={state}"
    if state in ("pending", "rebooting"):
        yield unusable(UnusableReason.MIG_CHANGING, detail)
    if state == "failed":
        yield unusable(UnusableReason.MIG_FAILED, detail)


def device_count(found: Advertised) -> tuple[int | None, str]:
    """Return how many devices the labels say the resource has, and which labels.

    Up to device plugin 0.19 devices with an attribute (`+me`) were counted in the plain resource
    (NVIDIA/k8s-device-plugin#1462), so all of one size are added up.
    """
    profile, labels = found.resource.profile, found.labels
    if profile is None:
        return _uncut(found)
    counts: dict[str, int | None] = {
        key: whole_numbers(text)
        for key, text in labels.items()
        if key.startswith(f"{names.MIG}{profile.slices}g.{profile.gb}gb") and key.endswith(".count")
    }
    known = [each for each in counts.values() if each is not None]
    text = ", ".join(f"{key}={labels[key]}" for key in sorted(counts))
    return (sum(known), text) if known and len(known) == len(counts) else (None, text)


def _uncut(found: Advertised) -> tuple[int | None, str]:
    """How many GPUs can be whole, beside those that the MIG devices are on."""
    labels, text = found.labels, f"{COUNT}={found.labels.get(COUNT)}"
    count = whole_numbers(labels.get(COUNT))
    slices = sum(
        (whole_numbers(value) or 0) * named[0].slices
        for key, value in labels.items()
        if key.endswith(".count") and (named := mig.of_resource(key.removesuffix(".count")))
    )
    if count is None or not slices or SLICES in labels:
        return count, text
    cut = -(-slices // mig.compute_slices(labels.get(PRODUCT, "")))
    return max(count - cut, 0), f"{text}, of which {cut} or more are cut"


def explain_nothing(labels: Mapping[str, str]) -> Unusable | None:
    """Return why nothing is allocatable: as labels tell, else the device plugin does not run."""
    product = labels.get(PRODUCT, "")
    wrong = next(_mig_state(labels), None)
    if wrong is not None:
        return wrong
    if "-MIG-INVALID" in product:
        return unusable(UnusableReason.INVALID_MIG, f"{PRODUCT}={product}")
    replicas = labels.get(GPU_LABELS.replicas or "")
    if labels.get(MIG_CAPABLE) == "true" and replicas == "0":
        detail = f"{MIG_CAPABLE}=true, {GPU_LABELS.replicas}=0"
        return unusable(UnusableReason.MIG_EMPTY, detail)
    detail = f"{PRODUCT}={product}, no nvidia.com resource is allocatable"
    return unusable(UnusableReason.NOTHING_ADVERTISED, detail)
