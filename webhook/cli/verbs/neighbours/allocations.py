"""Which devices a kubelet gave to which pods, from a file of its node."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from webhook.cli.cluster.client import Object, metadata
from webhook.cli.manifests import InputError, read_text
from webhook.cli.measure.requests import offers_held, pod_name
from webhook.core.api.node import Node
from webhook.core.rightsizing.values import DeviceKey, PodName

Allocated = Mapping[DeviceKey, frozenset[PodName]]


class _CheckpointEntry(Struct):
    PodUID: str
    ResourceName: str
    DeviceIDs: dict[str, list[str]]  # by NUMA node


class _CheckpointData(Struct):
    PodDeviceEntries: list[_CheckpointEntry] | None


class _GivenDevices(Struct, rename="camel"):
    resource_name: str
    device_ids: list[str] = []


class _PodResourcesContainer(Struct):
    devices: list[_GivenDevices] = []


class _PodResources(Struct):
    name: str
    namespace: str
    containers: list[_PodResourcesContainer] = []


class _KubeletFile(Struct, rename={"pod_resources": "podResources", "data": "Data"}):
    data: _CheckpointData | None = None
    pod_resources: list[_PodResources] | None = None


def read_allocated(
    files: Iterable[str], pods: Iterable[Object], nodes: Mapping[str, Node]
) -> Allocated:
    """Return the pods of each device, as kubelets say. Pods that are gone are left out.

    Raises:
        InputError: a file is neither a kubelet's checkpoint nor an answer of podresources.
    """
    live = {key: pod for pod in pods for key in (metadata(pod).get("uid"), pod_name(pod))}
    found: dict[DeviceKey, set[PodName]] = defaultdict(set)
    for file in files:
        for identity, resource, devices in _entries(file):
            pod = live.get(identity)
            if pod is None or resource not in {o.resource for o in offers_held(pod, nodes)}:
                continue
            for device in devices:
                uuid = device.partition("::")[0]  # a replica is UUID::NUMBER
                found[DeviceKey(pod["spec"]["nodeName"], uuid)].add(pod_name(pod))
    return {key: frozenset(names) for key, names in found.items()}


def _entries(file: str) -> Iterator[tuple[str | PodName, str, list[str]]]:
    """Yield a pod by its UID or name, a resource and the devices of it."""
    try:
        read = msgspec.json.decode(read_text(file), type=_KubeletFile)
    except msgspec.DecodeError as error:
        raise InputError(f"{file}: {error}") from None
    if read.data is None and read.pod_resources is None:
        raise InputError(
            f"{file}: neither Data.PodDeviceEntries (the kubelet's checkpoint) nor podResources "
            "(an answer of podresources List) is in it"
        )
    for each in (read.data and read.data.PodDeviceEntries) or ():
        yield each.PodUID, each.ResourceName, [i for ids in each.DeviceIDs.values() for i in ids]
    for pod in read.pod_resources or ():
        name = PodName(pod.namespace, pod.name)
        for given in (given for each in pod.containers for given in each.devices):
            yield name, given.resource_name, given.device_ids
