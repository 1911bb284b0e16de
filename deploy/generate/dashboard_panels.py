"""What the dashboards show: a row for each panel, with its query and what it says."""

from dataclasses import dataclass
from typing import Final

DEVICE: Final = "node, UUID, GPU_I_ID"
_OF: Final = f"* on ({DEVICE}) group_left ()"
_PRICE: Final = "* on (product) group_left () product:gpu_price:usd_per_hour"
_WORKLOAD: Final = (
    "label_replace(label_replace(label_replace(device_pod:gpu_held:ratio{{{0}}}, "
    '"workload", "$1", "pod", "(.*)"), "workload", "$1", "pod", '
    '"(.+?)(-[bcdfghjklmnpqrstvwxz2456789]{{1,10}})?-[bcdfghjklmnpqrstvwxz2456789]{{5}}"), '
    '"workload", "$1", "pod", "(.+)-[0-9]+")'
)
"""The pods of a workload have its name and a suffix (ReplicaSet, DaemonSet, Job, StatefulSet)."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `kind` is stat, timeseries or table; a query is text and legend."""

    title: str
    description: str
    kind: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    span: int = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice above the panels: the values of a label of a metric."""

    name: str
    label: str
    metric: str


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]


def _stat(title: str, description: str, query: str, unit: str = "none") -> Panel:
    return Panel(title, description, "stat", unit, ((query, title),), 4)


def _lines(title: str, description: str, unit: str, *queries: tuple[str, str]) -> Panel:
    return Panel(title, description, "timeseries", unit, queries, 12)


def _table(title: str, description: str, unit: str, *queries: tuple[str, str]) -> Panel:
    return Panel(title, description, "table", unit, queries, 12)


_WASTE: Final = "(device:gpu_free:ratio or device:gpu_idle:ratio)"
FLEET: Final = Board(
    "gpu-sharing-fleet",
    "GPU sharing / fleet",
    "All GPUs: used, held and idle, free, lost in the layout, in GPUs and money.",
    (Variable("product", "product", "device:gpu_share:ratio"),),
    (
        _stat("GPUs", "Physical GPUs, cut or not.",
              'count(group by (node, UUID) (device:gpu_share:ratio{product=~"$product"}))'),
        _stat("Held", "GPUs that a pod is named on.",
              f'sum(device:gpu_share:ratio{{product=~"$product"}} and on ({DEVICE}) '
              "device:gpu_pods:count) or vector(0)"),
        _stat("Held and idle", "Held, and never 5 % active in the last hour.",
              'sum(device:gpu_idle:ratio{product=~"$product"}) or vector(0)'),
        _stat("Free", "Nobody is named on them, and they are not busy.",
              'sum(device:gpu_free:ratio{product=~"$product"}) or vector(0)'),
        _stat("Lost in the layout", "What no MIG device has of GPUs that are cut.",
              'sum(gpu:layout_lost:ratio{product=~"$product"}) or vector(0)'),
        _stat("Wasted", "Free, idle and lost GPUs by the price list, an hour.",
              f'(sum(device:gpu_free:ratio{{product=~"$product"}} {_PRICE}) or vector(0)) '
              f'+ (sum(device:gpu_idle:ratio{{product=~"$product"}} {_PRICE}) or vector(0)) '
              f'+ (sum(gpu:layout_lost:ratio{{product=~"$product"}} {_PRICE}) or vector(0))',
              "currencyUSD"),
        _lines("Activity by product", "Mean share of time in which a kernel ran, by part of a GPU.",
               "percentunit",
               (f"sum by (product) (device:gpu_share:ratio{{product=~\"$product\"}} {_OF} "
                'device:gpu_active:ratio) / sum by (product) '
                '(device:gpu_share:ratio{product=~"$product"})', "{{product}}")),
        _lines("Where they go", "GPUs over time.", "none",
               ('sum(device:gpu_idle:ratio{product=~"$product"}) or vector(0)', "held and idle"),
               ('sum(device:gpu_free:ratio{product=~"$product"}) or vector(0)', "free"),
               ('sum(gpu:layout_lost:ratio{product=~"$product"}) or vector(0)', "lost")),
        _table("Held by namespace", "GPUs, split evenly where several pods share a device.", "none",
               ('sum by (namespace) (device_pod:gpu_held:ratio{product=~"$product"})', "GPUs"),
               (f'sum by (namespace) (device_pod:gpu_held:ratio{{product=~"$product"}} {_PRICE})',
                "USD an hour")),
        _table("Held by workload", "Pods of one name without its suffix.", "none",
               ("sum by (namespace, workload) ("
                + _WORKLOAD.format('product=~"$product"') + ")", "GPUs")),
        _table("By node", "Nodes of a pool have its name; GPUs held and free.", "none",
               (f'sum by (node) (device:gpu_share:ratio{{product=~"$product"}} and on ({DEVICE}) '
                "device:gpu_pods:count)", "held"),
               ('sum by (node) (device:gpu_free:ratio{product=~"$product"})', "free")),
        _table("Offered by strategy", "What nodes offer, as the webhook reads them.", "none",
               ("max by (strategy, product, resource) (gpu_sharing_inventory_offers)", "devices")),
        _table("Idle devices", "Held, and never 5 % active in the last hour.", "none",
               (f'device:gpu_idle:ratio{{product=~"$product"}} * on ({DEVICE}) group_right '
                "(product) device_pod:gpu_held:bool", "GPUs")),
        _table("XID errors", "The last error of each GPU that has one.", "none",
               ("gpu_xid:last:bool", "seen")),
    ),
)  # fmt: skip

_ONE: Final = 'node=~"$node",UUID=~"$UUID",GPU_I_ID=~"$instance"'
DEVICE_BOARD: Final = Board(
    "gpu-sharing-device",
    "GPU sharing / one device",
    "One GPU or MIG device: what it does, and who is on it.",
    (
        Variable("node", "node", "device:gpu_share:ratio"),
        Variable("UUID", "UUID", 'device:gpu_share:ratio{node=~"$node"}'),
        Variable("instance", "GPU_I_ID", 'device:gpu_share:ratio{UUID=~"$UUID"}'),
    ),
    (
        _stat("Pods", "Pods that are named on it.",
              f"max(device:gpu_pods:count{{{_ONE}}}) or vector(0)"),
        _stat("Part of a GPU", "1, or of a MIG device its slices or memory by the GPU's.",
              f"max(device:gpu_share:ratio{{{_ONE}}})"),
        _stat("Price", "By the price list, an hour.",
              f"max(device:gpu_cost:usd_per_hour{{{_ONE}}})", "currencyUSD"),
        _lines("Activity", "Share of time in which a kernel ran, of the device.", "percentunit",
               (f"device:gpu_active:ratio{{{_ONE}}}", "{{node}} {{UUID}} {{GPU_I_ID}}")),
        _lines("Memory", "Memory in use. Servers that reserve take it at start.", "mbytes",
               (f"device:gpu_memory_used:mebibytes{{{_ONE}}}", "used {{UUID}} {{GPU_I_ID}}"),
               (f"device:gpu_memory_free:mebibytes{{{_ONE}}}", "free {{UUID}} {{GPU_I_ID}}")),
        _lines("Power of the GPU", "Of the whole GPU, also for a MIG device: never add it up.",
               "watt",
               ('max by (UUID) (DCGM_FI_DEV_POWER_USAGE{UUID=~"$UUID"})', "{{UUID}}")),
        _lines("Temperature of the GPU", "Of the whole GPU.", "celsius",
               ('max by (UUID) (DCGM_FI_DEV_GPU_TEMP{UUID=~"$UUID"})', "{{UUID}}")),
        _table("Who is on it", "Pods that are named on it; what each uses is not known.", "none",
               (f"device_pod:gpu_held:ratio{{{_ONE}}}", "GPUs")),
    ),
)  # fmt: skip

NAMESPACE: Final = Board(
    "gpu-sharing-namespace",
    "GPU sharing / one namespace",
    "What the pods of one namespace hold, and what those devices do.",
    (Variable("namespace", "namespace", "device_pod:gpu_held:bool"),),
    (
        _stat("GPUs held", "Split evenly where several pods share a device.",
              'sum(device_pod:gpu_held:ratio{namespace=~"$namespace"}) or vector(0)'),
        _stat("Price", "Of what is held, an hour.",
              f'sum(device_pod:gpu_held:ratio{{namespace=~"$namespace"}} {_PRICE}) or vector(0)',
              "currencyUSD"),
        _stat("Held and idle", "Never 5 % active in the last hour.",
              f'sum(device_pod:gpu_held:ratio{{namespace=~"$namespace"}} and on ({DEVICE}) '
              "device:gpu_idle:ratio) or vector(0)"),
        _lines("Activity of its devices", "Of the device: others may be on it too.", "percentunit",
               (f'device_pod:gpu_held:bool{{namespace=~"$namespace"}} {_OF} '
                "device:gpu_active:ratio", "{{pod}} {{GPU_I_PROFILE}}")),
        _lines("Memory of its devices", "Of the device: others may be on it too.", "mbytes",
               (f'device_pod:gpu_held:bool{{namespace=~"$namespace"}} {_OF} '
                "device:gpu_memory_used:mebibytes", "{{pod}} {{GPU_I_PROFILE}}")),
        _table("By workload", "Pods of one name without its suffix.", "none",
               ("sum by (workload) ("
                + _WORKLOAD.format('namespace=~"$namespace"') + ")", "GPUs")),
        _table("Never decided", "Pods with GPUs that the webhook never decided.", "none",
               ('max by (namespace) (gpu_sharing_unreviewed_pods{namespace=~"$namespace"})',
                "pods")),
    ),
)  # fmt: skip

WEBHOOK: Final = Board(
    "gpu-sharing-webhook",
    "GPU sharing / webhook",
    "What the webhook decides, and whether it is well.",
    (),
    (
        _stat("Replicas", "Replicas that give metrics.",
              "count(gpu_sharing_policy_generation) or vector(0)"),
        _stat("Certificate", "Until the serving certificate expires.",
              "min(gpu_sharing_certificate_not_after_seconds) - time()", "s"),
        _stat("Inventory", "Age of the oldest view of the nodes.",
              "max(gpu_sharing_inventory_age_seconds)", "s"),
        _stat("Policy refused", "1 while a newer policy file is refused.",
              "max(gpu_sharing_policy_stale)"),
        _stat("Unusable nodes", "Nodes with GPUs that cannot be offered.",
              "sum(max by (reason) (gpu_sharing_inventory_unusable)) or vector(0)"),
        _lines("Pods given GPUs", "By workload and strategy.", "none",
               ('sum by (workload, strategy) (increase(gpu_sharing_pods_total{mode="enforce"}'
                "[$__rate_interval]))", "{{workload}} {{strategy}}")),
        _lines("Refusals", "By reason.", "none",
               ('sum by (reason) (increase(gpu_sharing_refusals_total{mode="enforce"}'
                "[$__rate_interval]))", "{{reason}}")),
        _lines("Time of a review", "99th percentile.", "s",
               ("histogram_quantile(0.99, sum by (le, side) (rate("
                "gpu_sharing_review_duration_seconds_bucket[$__rate_interval])))", "{{side}}")),
        _lines("Failed reviews", "Requests that got no review, by HTTP status.", "reqps",
               ("sum by (status) (rate(gpu_sharing_failed_requests_total[$__rate_interval]))",
                "{{status}}")),
        _table("Offers", "What nodes offer.", "none",
               ("max by (resource, strategy, product) (gpu_sharing_inventory_offers)", "devices")),
        _table("Never decided", "Pods with GPUs that were never decided.", "none",
               ("max by (namespace) (gpu_sharing_unreviewed_pods)", "pods")),
    ),
)  # fmt: skip

BOARDS: Final = (FLEET, DEVICE_BOARD, NAMESPACE, WEBHOOK)
