"""Kubernetes objects -> the pods that they will make; finds templates, decides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhook.core.integrations.field_path import Path, Steps, dotted, follow

Object = Mapping[str, Any]
Listed = Mapping[str, tuple[Steps, ...]]
"""Kind -> where its pods stand, for kinds in which the search does not find them."""

_NONE: Final[Listed] = {}

_TEMPLATE: Final = ("spec", "template")
BUILT_IN: Final[dict[str, Path]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "Deployment": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}

# Labels that a controller will put on the pods, with the object's name as value where it is None:
# the template does not have them yet, but the webhook will see them.
_JOB_NAME: Final[dict[str, str | None]] = {"training.kubeflow.org/job-name": None}
_CONTROLLER_LABELS: Final[dict[str, dict[str, str | None]]] = {
    **dict.fromkeys(
        ("PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "PaddleJob", "JAXJob"), _JOB_NAME
    ),
    "InferenceService": {"serving.kserve.io/inferenceservice": None},
    "LLMInferenceService": {"app.kubernetes.io/part-of": "llminferenceservice"},
    "NIMService": {"app.kubernetes.io/managed-by": "k8s-nim-operator"},
    "RayService": {"ray.io/serve": "true"},
    "Notebook": {"notebook-name": None},
}

# KServe builds these parts of an InferenceService into pods of one container.
_KSERVE_PARTS: Final = ("predictor", "transformer", "explainer")

_KNOWN: Final[Listed] = {"NIMService": (("spec",),)}


@dataclass(frozen=True, slots=True)
class Template:
    """A pod to be: where it stands in its object, and the Pod as it would be created."""

    path: str
    pod: dict[str, Any]


def find(subject: Object, listed: Listed = _NONE) -> Iterator[Template]:
    """Every pod template of an object, of kinds known here or not.

    | kind | where its pods stand |
    |---|---|
    | in `listed`, which the policy states | at those paths and nowhere else |
    | built in | at one place |
    | any other | whatever has a list of `containers`; `metadata` beside a `spec` is the pod's |

    The last is how PyTorchJob, RayCluster, JobSet, LeaderWorkerSet, Notebook and most others look.
    """
    kind = str(subject.get("kind", ""))
    extra = _controller_labels(kind, subject)
    places = listed.get(kind, _KNOWN.get(kind))
    if places is not None:
        yield from _stated(subject, places, extra)
        return
    if kind in BUILT_IN:
        yield _built_in(subject, BUILT_IN[kind])
        return
    specs = subject.get("spec")
    for path, metadata, spec in _search(specs, ("spec",)):
        yield Template(dotted(path), _pod(metadata, spec, extra))
    if kind == "InferenceService" and isinstance(specs, Mapping):
        yield from _kserve(specs, extra)


def _stated(
    subject: Object, places: tuple[Steps, ...], extra: Mapping[str, str]
) -> Iterator[Template]:
    found = dict(place for steps in places for place in follow(subject, steps))
    for path, at in found.items():
        if at is not None:
            yield Template(dotted(path), _made_of(at, extra))


def _made_of(at: Any, extra: Mapping[str, str]) -> dict[str, Any]:
    """The pod of what stands at a stated place.

    | there | the pod |
    |---|---|
    | a mapping with a `spec` | that spec, with the `metadata` beside it |
    | a mapping with `resources` and no `containers` | one container, and the rest as its spec |
    | another mapping | that as its spec, with `labels` and `annotations` of its own |
    | anything else | left as it is: decoding it will say what is wrong |
    """
    if not isinstance(at, Mapping):
        return {"spec": at}
    if isinstance(at.get("spec"), Mapping):
        return _pod(at.get("metadata"), at["spec"], extra)
    if "containers" not in at and isinstance(at.get("resources"), Mapping):
        return _pod(at, {**at, "containers": [_container("main", at)]}, extra)
    return _pod(at, at, extra)


def _built_in(subject: Object, path: Path) -> Template:
    at: Any = subject
    for key in path:
        at = at.get(key) if isinstance(at, Mapping) else None
    if not isinstance(at, Mapping):
        return Template(dotted(path), {"spec": at})  # decoding it will say what is wrong, and where
    made = {"metadata": at.get("metadata"), "spec": at.get("spec")}
    return Template(dotted(path), made)


def _search(at: Any, path: Path) -> Iterator[tuple[Path, Any, Object]]:
    """Depth first, without recursion: (path, metadata, spec) of what looks like a pod."""
    pending: list[tuple[Any, Path]] = [(at, path)]
    while pending:
        here, where = pending.pop()
        if isinstance(here, Mapping):
            spec = here.get("spec")
            if isinstance(spec, Mapping) and _is_pod_spec(spec):
                yield where, here.get("metadata"), spec
            elif _is_pod_spec(here):
                yield where, here, here
            else:
                pending.extend((here[key], (*where, key)) for key in reversed(list(here)))
        elif isinstance(here, list):
            numbered = reversed(list(enumerate(here)))
            pending.extend((value, (*where, index)) for index, value in numbered)


def _is_pod_spec(value: Any) -> bool:
    containers = value.get("containers") if isinstance(value, Mapping) else None
    return isinstance(containers, list) and all(isinstance(c, Mapping) for c in containers)


def _kserve(spec: Object, extra: Mapping[str, str]) -> Iterator[Template]:
    """`predictor.model.resources`, or the older `predictor.<framework>.resources`."""
    for part in _KSERVE_PARTS:
        at = spec.get(part)
        if not isinstance(at, Mapping) or _is_pod_spec(at):
            continue
        for key, value in at.items():
            if isinstance(value, Mapping) and isinstance(value.get("resources"), Mapping):
                made = {**at, "containers": [_container("kserve-container", value)]}
                yield Template(f"spec.{part}.{key}", _pod(at, made, extra))


def _container(name: str, parts: Object) -> dict[str, Any]:
    """A container with what these parts say of it."""
    return {"name": name} | {key: parts[key] for key in ("resources", "env") if key in parts}


def _pod(metadata: Any, spec: Object, extra: Mapping[str, str]) -> dict[str, Any]:
    given = metadata if isinstance(metadata, Mapping) else {}
    labels, annotations = given.get("labels") or {}, given.get("annotations") or {}
    if isinstance(labels, Mapping):  # anything else is left for decoding to refuse
        labels = {**labels, **extra}
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}


def _controller_labels(kind: str, subject: Object) -> dict[str, str]:
    metadata = subject.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    labels = _CONTROLLER_LABELS.get(kind, {})
    return {
        key: str(name or "unnamed") if value is None else value for key, value in labels.items()
    }
