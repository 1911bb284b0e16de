"""A request reduced to what a decision reads, which pods of one kind share."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from webhook.core.api import limits, names
from webhook.core.api.admission import AdmissionRequest
from webhook.core.api.pod import Container, EnvVar, Metadata, Pod, PodSpec, Volume, VolumeMount
from webhook.core.checks.cel import VARIABLES
from webhook.core.decision.model_memory import model_variables
from webhook.core.gpu.resources import is_gpu
from webhook.core.integrations.registry import MODEL_KEYS
from webhook.core.policy.values import Policy

_MODEL_KEYS: Final = frozenset(MODEL_KEYS)
_Containers = tuple[Container, ...] | None
_Variables = tuple[EnvVar, ...] | None


def canonical(request: AdmissionRequest, policy: Policy) -> AdmissionRequest:
    """Return a request for which `admit` says the same.

    | of the request | is left |
    |---|---|
    | uid, name, namespace | nothing |
    | user | one whom the policy exempts |
    | labels | all keys; values of ours, of the policy's table and of those that may name a model |
    | variables | NVIDIA's, CUDA's; beside a GPU request those that may say something of a model |
    | image, command, arguments | those beside a GPU request |
    | volumes, and their names in mounts | those of the node |
    | a pod that is too large | its metadata |
    | an update's pods | all |
    """
    user = request.user if request.user in policy.exempt_users else ""
    asked = replace(request, uid="", name="", namespace="", user=user)
    if request.pod is None or request.old_pod is not None:
        return asked
    metadata = _metadata(request.pod.metadata, policy)
    if request.too_large or limits.too_large(request.pod):
        return replace(asked, pod=Pod(metadata), too_large=True)
    return replace(asked, pod=Pod(metadata, _spec(request.pod)))


def _metadata(read: Metadata | None, policy: Policy) -> Metadata | None:
    if read is None or read.labels is None:
        return read and Metadata(annotations=read.annotations)
    known = policy.deciding_labels
    kept = {
        key: value if key.startswith(names.PREFIX) or key in known or key in _MODEL_KEYS else ""
        for key, value in read.labels.items()
    }
    return Metadata(labels=kept, annotations=read.annotations)


def _spec(pod: Pod) -> PodSpec:
    spec = pod.spec
    volumes = tuple([each for each in spec.volumes or () if _is_of_node(each)])
    of_node = frozenset(each.name for each in volumes)
    return replace(
        spec,
        containers=_containers(spec.containers, of_node),
        init_containers=_containers(spec.init_containers, of_node),
        ephemeral_containers=_containers(spec.ephemeral_containers, of_node),
        volumes=volumes,
    )


def _is_of_node(volume: Volume) -> bool:
    return bool(volume.host_path) or (volume.flex_volume, volume.git_repo) != (None, None)


def _containers(read: Iterable[Container] | None, of_node: frozenset[str]) -> _Containers:
    return None if read is None else tuple([_container(each, of_node) for each in read])


def _container(read: Container, of_node: frozenset[str]) -> Container:
    resources = read.resources
    asked = (*(resources.limits or ()), *(resources.requests or ())) if resources else ()
    asks = any(map(is_gpu, asked))
    return replace(
        read,
        image=read.image if asks else None,
        command=read.command if asks else None,
        args=read.args if asks else None,
        env=_variables(read.env, asks=asks),
        volume_mounts=tuple([_mount(each, of_node) for each in read.volume_mounts or ()]),
    )


def _variables(env: _Variables, *, asks: bool) -> _Variables:
    if not env:
        return env
    of_model = model_variables(env) if asks else ()
    if not any(map(" ".join([each.name for each in env]).count, VARIABLES)):  # as in most
        return of_model
    return tuple([e for e in env if e.name.startswith(VARIABLES) or e in of_model])


def _mount(read: VolumeMount, of_node: frozenset[str]) -> VolumeMount:
    return read if read.name in of_node else VolumeMount("", read.mount_path, read.read_only)
