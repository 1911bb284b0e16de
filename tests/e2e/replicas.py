"""The replicas of the server: their pods and processes, and what they say of themselves."""

import contextlib
import re
from pathlib import Path

from tests.e2e.installation import NAMESPACE
from tests.e2e.user import Json, User, until

SERVED = ("-l", "kubernetes.io/service-name=gpu-sharing")
REVIEWS = "gpu_sharing_reviews_total"


def replicas(user: User) -> list[Json]:
    """The pods of the server."""
    selector = ("-l", "app.kubernetes.io/component=server")
    found: list[Json] = user.get("-n", NAMESPACE, "pods", *selector)["items"]
    return [each for each in found if "deletionTimestamp" not in each["metadata"]]


def metric(user: User, replica: Json, name: str) -> float:
    """What a replica says of itself, whatever the labels."""
    where = f"/api/v1/namespaces/{NAMESPACE}/pods/{replica['metadata']['name']}:8080/proxy/metrics"
    lines = user.kubectl("get", "--raw", where).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(name + "[ {]", line))


def answering(user: User) -> Json:
    """The replica that is asked: the API server keeps to its connections to one."""
    found = replicas(user)
    before = [metric(user, each, REVIEWS) for each in found]

    def asked() -> Json | None:
        grown = zip(found, before, strict=True)
        return next((each for each, n in grown if metric(user, each, REVIEWS) > n), None)

    return until("one is asked", asked)


def served(user: User) -> list[str]:
    """The pods that the Service sends reviews to."""
    slices = user.get("-n", NAMESPACE, "endpointslices", *SERVED)["items"]
    ends = [end for each in slices for end in each["endpoints"] or ()]
    return [end["targetRef"]["name"] for end in ends if end["conditions"]["ready"]]


def processes(replica: Json) -> list[int]:
    """The processes of a replica's server."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            served = b"serve" in (each / "cmdline").read_bytes()
            if served and replica["metadata"]["uid"] in (each / "cgroup").read_text():
                found.append(int(each.name))
    return found


def restarts(replica: Json) -> tuple[str, int]:
    """How often a replica's container started anew."""
    statuses = replica["status"].get("containerStatuses", [{"restartCount": 0}])
    return replica["metadata"]["name"], statuses[0]["restartCount"]
