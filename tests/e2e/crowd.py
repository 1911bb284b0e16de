"""A few hundred pods and workloads of real manifests on a real cluster, to look at.

The manifests are those of the corpus where it is beside the checkout, else those of examples/.
Custom resources get a definition that takes anything: their controllers do not run here.
"""

import copy
import json
from collections.abc import Iterable, Iterator

from tests.e2e.chart import ROOT
from tests.e2e.cluster import Cluster
from tests.e2e.user import Json
from webhook.cli import manifests as objects
from webhook.core.api.resource import ApiResource
from webhook.core.integrations import registry

CORPUS = ROOT.parent / "shared" / "corpus"
BUILT_IN = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
TAKES_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def manifests() -> list[Json]:
    """Every object that makes pods."""
    folder = CORPUS if CORPUS.is_dir() else ROOT / "examples"
    found = (
        each for each in objects.read_manifests([str(folder)]) if isinstance(each, objects.Manifest)
    )
    wanted = BUILT_IN | {each.kind for each in registry.CUSTOM}
    return [each.value for each in found if each.value["kind"] in wanted]


def definitions(made: Iterable[Json]) -> Iterator[Json]:
    """A CustomResourceDefinition for each custom kind among objects."""
    for resource in registry.CUSTOM:
        versions = {o["apiVersion"].rpartition("/")[2] for o in made if o["kind"] == resource.kind}
        if versions:
            yield _definition(resource, sorted(versions))


def _definition(resource: ApiResource, versions: list[str]) -> Json:
    listed = [
        {
            "name": version,
            "served": True,
            "storage": version == versions[0],
            "schema": {"openAPIV3Schema": TAKES_ANYTHING},
        }
        for version in versions
    ]
    names = {"plural": resource.plural, "kind": resource.kind, "singular": resource.kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": resource.qualified,
            "annotations": {"api-approved.kubernetes.io": "test"},
        },
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": {**names, "listKind": f"{resource.kind}List"},
            "versions": listed,
        },
    }


def place(made: Json, namespace: str, number: int) -> Json:
    """A copy of an object in a namespace, under a name of its own."""
    mine = copy.deepcopy(made)
    metadata = mine["metadata"]
    name = metadata.get("name") or metadata.pop("generateName", "pod").rstrip("-")
    kept = {key: metadata[key] for key in ("labels", "annotations") if key in metadata}
    mine["metadata"] = {**kept, "name": f"{name[:40].strip('-.')}-{number}", "namespace": namespace}
    mine.pop("status", None)
    return mine


def settle_in(cluster: Cluster, namespaces: Iterable[str]) -> int:
    """Create every manifest in each namespace; how many the API server took.

    Some have placeholders such as $GPU_PER_NODE, which it refuses.
    """
    made = manifests()
    for definition in definitions(made):
        cluster.apply(definition)
        name = definition["metadata"]["name"]
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")
    taken = 0
    for namespace in namespaces:
        items = [place(each, namespace, number) for number, each in enumerate(made)]
        taken += sum(_created(cluster, each) for each in _batches(items))
    return taken


def _batches(items: list[Json], size: int = 25) -> Iterator[list[Json]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _created(cluster: Cluster, items: list[Json]) -> int:
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    done = cluster.kubectl("create", "--validate=false", "-f", "-", data=json.dumps(listed))
    return sum(" created" in line for line in done.stdout.splitlines())
