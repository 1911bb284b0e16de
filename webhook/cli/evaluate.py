"""One pod through both sides, as the API server would send it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import structs

from webhook.cli.loaders import Cluster
from webhook.cli.manifests import InputError, Manifest
from webhook.core import mentions
from webhook.core.api import vocabulary
from webhook.core.api.admission import AdmissionRequest, Side
from webhook.core.api.pod import Metadata
from webhook.core.gpu.values import Inventory
from webhook.core.integrations.registry import find_templates
from webhook.core.integrations.templates import PodTemplate
from webhook.core.policy.values import Policy
from webhook.core.simulate import mode_of, simulate
from webhook.core.verdict import Verdict

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Context:
    """What every pod is decided by. `namespace_labels` come over what the cluster tells.

    `namespace` is that of objects that name none.
    """

    policy: Policy
    inventory: Inventory
    cluster: Cluster
    namespace_labels: Mapping[str, str]
    namespace: str = DEFAULT_NAMESPACE


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A pod before and after, and the verdict of the side that decides."""

    found: Manifest
    template: PodTemplate
    metadata: Metadata
    verdict: Verdict
    after: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        """The namespace that the pod will be in."""
        return self.metadata.namespace or DEFAULT_NAMESPACE

    @property
    def name(self) -> str:
        """The name of the object that the pod comes from."""
        return self.metadata.name or self.metadata.generate_name or ""


def evaluate(found: Manifest, context: Context) -> Iterator[Evaluation | InputError]:
    """Yield a result for each pod that the object will make. Nothing for one that makes none."""
    try:
        metadata = msgspec.convert(found.value.get("metadata") or {}, Metadata)
    except msgspec.ValidationError as error:
        yield InputError(found.locate(str(error), ".metadata"))
        return
    metadata = structs.replace(metadata, namespace=metadata.namespace or context.namespace)
    templates = list(find_templates(found.value, context.policy.pod_templates))
    stray = mentions.stray_keys(found.value, templates)
    for each in templates:
        try:
            made = _evaluate(found, each, metadata, context)
            warnings = (*made.verdict.warnings, *stray)
            yield replace(made, verdict=structs.replace(made.verdict, warnings=warnings))
        except msgspec.ValidationError as error:
            yield InputError(found.locate(str(error), f".{each.path}" if each.path else ""))


def unread(found: Manifest, context: Context) -> Iterator[str]:
    """Yield GPUs that are named where no pod is, and wrong keys of a namespace."""
    templates = find_templates(found.value, context.policy.pod_templates)
    for each in mentions.unread_mentions(found.value, templates):
        yield f"{found.source}: {found.value['kind']}: {each.text()}"
    if found.value["kind"] == "Namespace":
        metadata = found.value.get("metadata")
        for text in vocabulary.keys_of_namespace(metadata if isinstance(metadata, dict) else {}):
            yield f"{found.source}: {text}"


def _evaluate(
    found: Manifest, each: PodTemplate, metadata: Metadata, context: Context
) -> Evaluation:
    namespace = metadata.namespace or DEFAULT_NAMESPACE
    known = context.cluster.namespaces.get(namespace, {})
    labels = {**known, **context.namespace_labels}
    asked = AdmissionRequest(
        side=Side.MUTATE,
        mode=mode_of(labels),
        uid="review",
        operation="CREATE",
        namespace=namespace,
        namespace_labels=labels,
    )
    seen = simulate(asked, each.pod, context.policy, context.inventory)
    return Evaluation(found, each, metadata, seen.verdict, seen.after)
