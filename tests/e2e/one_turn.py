"""An API server that answers 429 to all of ours, as another has the one turn that they share."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.cluster.network import API_PORT, NODE_ADDRESS
from tests.e2e.installation import NAMESPACE, Installed
from tests.e2e.user import Json, until

NAME = "one-turn"
HOLDER = "holder"
TAKEN = f'executing_requests{{flow_schema="{NAME}",priority_level="{NAME}"}} 1'
API: Json = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "metadata": {"name": NAME}}
NO_SEAT = {
    "nominalConcurrencyShares": 0,
    "lendablePercent": 0,
    "borrowingLimitPercent": 0,
    "limitResponse": {"type": "Reject"},
}
"""Even so one request at a time has its turn."""
ANYTHING = {
    "verbs": ["*"],
    "apiGroups": ["*"],
    "resources": ["*"],
    "namespaces": ["*"],
    "clusterScope": True,
}
SUBJECTS = [
    {"kind": "Group", "group": {"name": f"system:serviceaccounts:{NAMESPACE}"}},
    {"kind": "User", "user": {"name": HOLDER}},
]
LEVEL = API | {
    "kind": "PriorityLevelConfiguration",
    "spec": {"type": "Limited", "limited": NO_SEAT},
}
SCHEMA = API | {
    "kind": "FlowSchema",
    "spec": {
        "priorityLevelConfiguration": {"name": NAME},
        "matchingPrecedence": 2,
        "rules": [{"subjects": SUBJECTS, "resourceRules": [ANYTHING]}],
    },
}
HOLD = """
import http.client, ssl, sys
host, port, cert, key, user = sys.argv[1:]
trusting = ssl._create_unverified_context()
trusting.load_cert_chain(cert, key)
headers = {"Impersonate-User": user, "Content-Type": "application/json", "Content-Length": "9"}
path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
while True:  # until the API server waited a minute for the body, or somebody else had the turn
    connection = http.client.HTTPSConnection(host, int(port), context=trusting)
    connection.request("POST", path, b"{", headers)
    connection.getresponse()
    connection.close()
"""


@contextmanager
def without_a_turn(installed: Installed) -> Iterator[None]:
    """While another has the one turn that all our accounts share."""
    user, folder = installed.user, installed.cluster.site.authority.directory
    pair = (folder / "admin.crt", folder / "admin.key")
    command = [sys.executable, "-c", HOLD, NODE_ADDRESS, str(API_PORT), *pair, HOLDER]
    installed.cluster.apply([LEVEL, SCHEMA])
    with subprocess.Popen(installed.cluster.netns_command(command)) as holder:
        try:
            until("it has the turn", lambda: TAKEN in user.kubectl("get", "--raw", "/metrics"))
            yield
        finally:
            holder.kill()
            user.kubectl("delete", "flowschema,prioritylevelconfiguration", NAME)
