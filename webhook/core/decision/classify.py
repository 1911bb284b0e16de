"""Pod and namespace labels to a Question: workload, tenant and GPU requests."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from webhook.core.api import denials, mig, names, paths, quantity, vocabulary
from webhook.core.api import pod as pods
from webhook.core.api.containers import ContainerRef, containers_of
from webhook.core.api.pod import Container, Pod
from webhook.core.api.quantity import Raw
from webhook.core.api.reason import Reason
from webhook.core.api.violation import Violation
from webhook.core.decision.values import Constraints, GpuRequest, Question
from webhook.core.decision.workload import classify_workload
from webhook.core.gpu.resources import is_gpu
from webhook.core.policy.values import Policy, is_tenant_row, row_of

_Containers = Mapping[ContainerRef, Container]
_Found = tuple[Violation, ...]
_T = TypeVar("_T")
_MEMORY: Final = (names.GPU_MEMORY, quantity.mebibytes, denials.INVALID_GPU_MEMORY)
_PROFILE: Final = (names.MIG_PROFILE, mig.parse_profile, denials.INVALID_MIG_PROFILE)


def classify(pod: Pod, namespace: Mapping[str, str], policy: Policy) -> Question:
    """Return everything that a decision needs from a pod. Malformed values are violations.

    A pod that requests no GPU is not refused for its labels.
    """
    tenant, bad_tenant, overruled = _tenant(pod, namespace)
    memory, bad_memory = _annotated(pod, *_MEMORY)
    profile, bad_profile = _annotated(pod, *_PROFILE)
    containers = containers_of(pod)
    requests, idle, bad_requests = _requests(containers)
    unknown = vocabulary.unknown_keys(pods.labels(pod), pods.annotations(pod))
    may_hint = policy.command_hints and tenant is None
    asking = (containers[each.container] for each in requests if may_hint)
    found = classify_workload(pod, namespace, policy.well_known_labels, asking)
    malformed = (*found.violations, *bad_tenant, *bad_memory, *bad_profile)
    row = policy.matrix[row_name := row_of(found.workload, tenant)]
    return Question(
        pod=pod,
        containers=containers,
        workload=found.workload,
        source=found.source,
        tenant=tenant,
        row_name=row_name,
        row=row,
        constraints=Constraints(
            namespace_tenant=namespace.get(names.TENANT) or None,
            isolated=is_tenant_row(row_name),
            shared_tenant_pools=policy.shared_tenant_pools,
            memory=row.memory if memory is None else memory,
            profile=profile,
            own_shared_memory=bool(requests) and _mounts_shared_memory(containers),
            host_ipc=bool(pod.spec.host_ipc),
        ),
        requests=requests,
        idle=idle,
        memory=memory,
        violations=(*malformed, *bad_requests) if requests or bad_requests else (),
        warnings=(*unknown, *overruled, *found.warnings),
    )


def requests_of(pod: Pod) -> tuple[GpuRequest, ...]:
    """Return the GPUs that a pod's containers request. Malformed requests are left out."""
    return _requests(containers_of(pod))[0]


def _mounts_shared_memory(containers: _Containers) -> bool:
    """Whether a container mounts something at /dev/shm, where MPS mounts its own (NF 2.4)."""
    mounts = (m for each in containers.values() for m in each.volume_mounts or ())
    return any(paths.is_shared_memory(mount.mount_path) for mount in mounts)


def _tenant(pod: Pod, namespace: Mapping[str, str]) -> tuple[str | None, _Found, tuple[str, ...]]:
    """Whose pod it is: the namespace's word cannot be lifted by the pod's.

    | namespace label | pod label | tenant |
    |---|---|---|
    | A | any | A (a warning if the pod says otherwise) |
    | - | B | B, or what a label holds of it: the API server refuses a longer one |
    | - | - | none |
    | empty | any | refused |
    """
    given, wanted = namespace.get(names.TENANT), pods.labels(pod).get(names.TENANT)
    for value, whose in ((given, "the namespace's"), (wanted, "the pod's")):
        if value == "":
            message = f"{whose} label {names.TENANT} is empty; write the tenant's name or remove it"
            return "", (Violation(denials.INVALID_TENANT, "", message, names.TENANT),), ()
    if given and wanted and given != wanted:
        warning = f"the namespace belongs to tenant {given[:40]}: the pod's label is void"
        return given, (), (warning,)
    return (given or wanted or "")[: names.LABEL_LENGTH] or None, (), ()


def _annotated(
    pod: Pod, key: str, read: Callable[[str], _T], wrong: Reason
) -> tuple[_T | None, _Found]:
    raw = pods.annotations(pod).get(key)
    try:
        return None if raw is None else read(raw), ()
    except (quantity.QuantityError, mig.ProfileError) as error:
        return None, (Violation(wrong, "", f"annotation {key}: {error}", key),)


def _requests(
    containers: _Containers,
) -> tuple[tuple[GpuRequest, ...], tuple[ContainerRef, ...], _Found]:
    requests: list[GpuRequest] = []
    idle: list[ContainerRef] = []
    wrong: list[Violation] = []
    for ref, container in containers.items():
        match found := _request(ref, container):
            case GpuRequest():
                requests.append(found)
            case Violation():
                wrong.append(found)
            case None:
                idle.append(ref)
    return tuple(requests), tuple(idle), tuple(wrong)


def _request(ref: ContainerRef, container: Container) -> GpuRequest | Violation | None:
    limits = (container.resources.limits if container.resources else None) or {}
    requests = (container.resources.requests if container.resources else None) or {}
    found: dict[str, tuple[int, Raw]] = {}
    for resource in filter(is_gpu, {**limits, **requests}):
        try:
            number = _count(resource, limits.get(resource), requests.get(resource))
        except quantity.QuantityError as error:
            return Violation(denials.INVALID_QUANTITY, ref.name, f"{resource}: {error}", resource)
        if number:
            found[resource] = number, limits[resource] or number
    if len(found) > 1:
        listed = " and ".join(sorted(found))
        message = f"requests {listed}; one container gets one kind of GPU, so keep one of them"
        if names.GPU in found:  # LimitRanger runs again after the rewrite
            message += f" (a LimitRange with a default or max of {names.GPU} adds it: remove that)"
        return Violation(denials.SEVERAL_RESOURCES, ref.name, message, "resources.limits")
    return next((GpuRequest(ref, key, n, raw) for key, (n, raw) in found.items()), None)


def _count(resource: str, limit: Raw | None, request: Raw | None) -> int:
    """An extended resource's request equals its limit, and needs a limit (Kubernetes docs)."""
    if limit is None:
        wanted = 0 if request is None else quantity.count(request)
        if wanted:
            raise quantity.QuantityError(f"stands only in requests; set limits.{resource} too")
        return 0
    number = quantity.count(limit)
    if request is not None and quantity.count(request) != number:
        both = f"request {request!s} and limit {limit!s}"
        raise quantity.QuantityError(f"{both} differ; make them equal")
    return number
