"""The check of volumes that are parts of the node."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths
from webhook.core.api.pod import Volume
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import ON_MPS, matches, some
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

_RUNS: Final = "(flexVolume or gitRepo) has a program of the node run as root"


def host_path(seen: Subject) -> Iterator[Finding]:
    """Yield each volume that is a part of the node and not for the pod.

    Fields: spec.volumes[*].hostPath.path, mounted or not, since an ephemeral container can mount
    it later; volumeMounts[*] of every container, which are evidence; spec.volumes[*].flexVolume
    and gitRepo, for which programs of the node run as root (CVE-2024-10220).
    Source: nvidia-facts 4.3, and for others the list in `paths`.

    | path | tenant's pod | other pod |
    |---|---|---|
    | `tenantHostPaths` of the policy has it, each mount is read-only | allowed | as below |
    | `tenantHostPaths` has it, some mount is not | found | as below |
    | /dev/shm itself, in a pod with MPS, which has its own | found | found |
    | reaches the node (see `paths.reaches_node`), or has a step `..` | found | found |
    | any other | found | allowed |
    | none: flexVolume, gitRepo | found | allowed |
    """
    for volume in seen.pod.spec.volumes or ():
        runs = volume.flex_volume is not None or volume.git_repo is not None
        if runs and seen.isolated:
            text = f"volume {quote(volume.name)} {_RUNS}; use another volume"
            yield Finding(Violation(CHECK.reason, "", text, f"spec.volumes[{volume.name}]"))
        if volume.host_path is None:
            continue
        wrong = _of_tenant(seen, volume) if seen.isolated else _of_others(seen, volume)
        if wrong:
            text = f"hostPath {quote(volume.host_path.path)} {wrong}"
            where = f"spec.volumes[{volume.name}].hostPath.path"
            yield Finding(
                Violation(CHECK.reason, "", text, where), evidence=_mounting(seen, volume)
            )


def _of_tenant(seen: Subject, volume: Volume) -> str:
    listed = volume.host_path and volume.host_path.path in seen.allowances.host_paths
    if not listed:
        return "is a part of the node, which tenants' pods may not mount; use another volume"
    writable = any(
        mount.name == volume.name and not mount.read_only
        for container in seen.containers.values()
        for mount in container.volume_mounts or ()
    )
    return "may be mounted with readOnly: true only; set it in every mount" if writable else ""


def _of_others(seen: Subject, volume: Volume) -> str:
    path = volume.host_path.path if volume.host_path else ""
    mps = any(s and s.traits.mounts_shared_memory for s in seen.strategies.values())
    if mps and paths.is_shared_memory(path):
        return "is what MPS mounts itself; use another volume"
    if paths.goes_back(path) or paths.reaches_node(path):
        return "leads to what the node runs or gives devices with; use another volume"
    return ""


def _mounting(seen: Subject, volume: Volume) -> str:
    """Return the containers that mount a volume: another one is another finding."""
    mounting = (
        place.name
        for place, container in seen.containers.items()
        if any(mount.name == volume.name for mount in container.volume_mounts or ())
    )
    return " ".join(mounting)


_PATH: Final = "v.hostPath.path"
_VOLUMES: Final = "o.spec.volumes"
_HOST: Final = f"(has({_VOLUMES}) ? {_VOLUMES} : []).filter(v, has(v.hostPath)"
_SPARED: Final = f"{paths.HARMLESS}|{paths.GPU_DIRECT}"
_REACHES: Final = (
    f"({_PATH}.{matches(f'{paths.BACK}|{paths.REACHING}')} && !{_PATH}.{matches(_SPARED)})"
)
_LISTED: Final = '{{ dig "tenantHostPaths" list (.Values.policy | default dict) | toJson }}'
_UNLISTED: Final = f"!({_PATH} in {_LISTED})"
_SHARED: Final = (
    some(_VOLUMES, "v", f"has(v.hostPath) && {_PATH}.{matches(paths.SHARED_MEMORY_ITSELF)}")
    + f" && {ON_MPS}"
)
_OF_PROGRAMS: Final = some(_VOLUMES, "v", "has(v.flexVolume) || has(v.gitRepo)")
_WRITES: Final = "variables.tenant && !(has(m.readOnly) && m.readOnly)"

CHECK: Final = Check(
    rank=7,
    reason=Reason(
        "host_path",
        Group.WAY_AROUND,
        "A volume of the pod is a part of its node.",
        example="`hostPath: {path: /}`, `/usr/bin`, `/var/lib/kubelet`; of a tenant any.",
        to_do=(
            "use another volume. Tenants' pods get the paths that the policy lists in "
            "`tenantHostPaths`, read-only. In other pods `/data` and the like are fine, and "
            "`/dev/infiniband`; what GPUDirect needs is another check, `gpu_direct`."
        ),
        detail=(
            "Of other pods: devices, sockets, what the node runs, its configuration, and the "
            "folders of the kubelet and of container runtimes, wherever a distribution keeps them."
        ),
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=(
            "hostPath: of tenants each that `tenantHostPaths` does not list, or that is not "
            "mounted read-only; of others those to, above or below devices, sockets, MPS pipes, "
            "executables, configuration, and the folders of runtimes and kubelets; after `..`, "
            "`//`, /var/run; of tenants flexVolume and gitRepo"
        ),
        comment="tenants: all but tenantHostPaths",
    ),
    webhook=PodCondition(
        pod=some(_VOLUMES, "v", "has(v.hostPath) || has(v.flexVolume) || has(v.gitRepo)")
    ),
    backstop=Backstop(
        "a hostPath leads to what the node runs or gives devices with, or is a tenant's, or its "
        "flexVolume or gitRepo; use another volume",
        PodCondition(
            pod=f"size(variables.wrongHostPaths) > 0 || ({_SHARED})"
            f" || (variables.tenant && {_OF_PROGRAMS})",
            container="size(variables.hostPaths) > 0 && has(c.volumeMounts)"
            " && c.volumeMounts.exists(m, m.name in"
            f" variables.wrongHostPaths || ({_WRITES} && m.name in variables.hostPaths))",
        ),
        variables={
            "hostPaths": f"{_HOST}).map(v, v.name)",
            "wrongHostPaths": (
                f"{_HOST} && (variables.tenant ? {_UNLISTED} : {_REACHES})).map(v, v.name)"
            ),
        },
    ),
    pod_rule=host_path,
)
