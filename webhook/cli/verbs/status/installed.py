"""Sections of the status from the API server: replicas, certificates and webhooks."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import yaml
from msgspec import field

from webhook.cli import output
from webhook.cli.cluster import resources, types
from webhook.cli.cluster.client import ClusterClient, NotFound, Unavailable
from webhook.cli.cluster.flags import Install
from webhook.cli.cluster.loaders import POLICY_KEY
from webhook.cli.cluster.types import CamelStruct, Maker, Meta
from webhook.cli.verbs.status.section import Section
from webhook.core.api import names
from webhook.core.api.resource import ApiResource
from webhook.core.integrations import kubernetes

POLICIES: Final = "gpu-sharing.io/failure-policies"
USUAL: Final = {"server": 2, "certificates": 1}
"""How many replicas the chart has."""
_LOST: Final = {
    resources.MUTATING: "no pod is given anything",
    resources.VALIDATING: "no pod is checked",
}
_COLUMNS: Final = (("", "part"), ("READY", "ready"), ("IMAGE", "image"))
_WEBHOOKS: Final = (("WEBHOOK", "name"), ("IN FORCE", "inForce"), ("CONFIGURED", "configured"))


class _ClientConfig(CamelStruct, frozen=True):
    ca_bundle: str = ""


class _LiveWebhook(CamelStruct, frozen=True):
    name: str = ""
    rules: tuple[dict[str, Any], ...] = ()
    namespace_selector: dict[str, Any] | None = None
    match_conditions: tuple[Any, ...] = ()
    failure_policy: str = ""
    client_config: _ClientConfig = field(default_factory=_ClientConfig)


class _LiveWebhooks(CamelStruct, frozen=True):
    metadata: Meta = field(default_factory=Meta)
    webhooks: tuple[_LiveWebhook, ...] = ()


def install(client: ClusterClient, where: Install) -> Section:
    """The replicas of the webhook and of what renews its certificate.

    Raises:
        Unavailable: nothing is installed there, a right is missing, or the cluster is silent.
    """
    try:
        server = _deployment(client, where, where.release)
    except NotFound:
        raise Unavailable(
            f"no webhook is installed here: there is no deployment/{where.release} in namespace "
            f"{where.namespace} (elsewhere? --install NAMESPACE/RELEASE)"
        ) from None
    data = {"server": server, "certificates": _certificates(client, where)}
    rows = [{"part": "webhook", **_row(server)}]
    if data["certificates"]:
        rows.append({"part": "certificates", **_row(data["certificates"])})
    shown = output.table(_COLUMNS, rows)
    return Section(data, (shown,), tuple(_unready(data, where)))


def _deployment(client: ClusterClient, where: Install, name: str) -> dict[str, Any]:
    found = client.get(kubernetes.DEPLOYMENT, name, where.namespace)
    maker = types.convert(found, Maker)
    spec = ((found.get("spec") or {}).get("template") or {}).get("spec") or {}
    return {
        "name": name,
        "wanted": 1 if maker.spec.replicas is None else maker.spec.replicas,
        "ready": maker.status.ready_replicas or 0,
        "updated": maker.status.updated_replicas or 0,
        "images": sorted({each.get("image", "") for each in spec.get("containers") or ()}),
    }


def _certificates(client: ClusterClient, where: Install) -> dict[str, Any] | None:
    """None where cert-manager keeps the certificate."""
    try:
        return _deployment(client, where, f"{where.release}-certificates")
    except NotFound:
        return None


def _row(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"ready": f"{found['ready']}/{found['wanted']}", "image": found["images"]}


def _unready(data: Mapping[str, Any], where: Install) -> Iterable[str]:
    kubectl = f"kubectl -n {where.namespace}"
    for part, found in ((part, found) for part, found in data.items() if found):
        name, ready, wanted = found["name"], found["ready"], found["wanted"]
        if wanted == 0:
            mend = f"{kubectl} scale deployment/{name} --replicas={USUAL[part]}"
            yield f"{name}: scaled to 0; {mend}"
        elif min(ready, found["updated"]) < wanted:
            newest = f"{found['updated']} of the newest version"
            see = f"{kubectl} describe pods, {kubectl} logs deployment/{name}"
            yield f"{name}: {ready} of {wanted} replicas are ready, {newest}; see {see}"


def webhooks(client: ClusterClient, where: Install) -> Section:
    """The failurePolicy of each webhook, in force and as configured. Raises Unavailable."""
    found: list[dict[str, Any]] = []
    wrong: list[str] = []
    for kind in (resources.MUTATING, resources.VALIDATING):
        try:
            found += _of_configuration(client, kind, where.release)
        except NotFound:
            wrong.append(f"there is no {kind.kind} {where.release}: {_LOST[kind]}")
    wrong += _differing(found, where)
    shown = (output.table(_WEBHOOKS, found),) if found else ()
    return Section(found, shown, tuple(wrong))


def _of_configuration(
    client: ClusterClient, kind: ApiResource, name: str
) -> Iterable[dict[str, Any]]:
    found = types.convert(client.get(kind, name), _LiveWebhooks)
    configured = _configured((found.metadata.annotations or {}).get(POLICIES, "{}"))
    return [
        {
            "name": each.name,
            "inForce": each.failure_policy,
            "configured": configured.get(each.name),
            "caBundle": bool(each.client_config.ca_bundle),
            "narrow": _asks_as_the_chart(each),
        }
        for each in found.webhooks
    ]


def _asks_as_the_chart(live: _LiveWebhook) -> bool:
    """Whether it asks about pods of namespaces with a mode, and no others."""
    selector = live.namespace_selector or {}
    keys = [each.get("key") for each in selector.get("matchExpressions") or ()]
    of_pods = any("pods" in rule.get("resources", ()) for rule in live.rules)
    selected = names.MODE in keys and not selector.get("matchLabels")
    return bool(of_pods and selected and live.match_conditions)


def _configured(text: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def _differing(found: Iterable[Mapping[str, Any]], where: Install) -> Iterable[str]:
    log = f"kubectl -n {where.namespace} logs deployment/{where.release}-certificates"
    for each in found:
        wanted = each["configured"]
        if wanted and each["inForce"] != wanted:
            yield (
                f"{each['name']}: failurePolicy {each['inForce']} is in force, {wanted} is "
                f"configured: no refusal was proven yet, or somebody changed it; {log}"
            )
        if wanted and not each["narrow"]:
            yield (
                f"{each['name']}: its rules, namespaceSelector or matchConditions are not the "
                "chart's, so that no pod is reviewed, or pods of others wait too: delete the "
                "configuration and apply the chart, which keeps what others added"
            )
        if not each["caBundle"]:
            yield f"{each['name']}: no caBundle, so that the API server cannot call it: {log}"


def unread_policy(client: ClusterClient, where: Install) -> Iterable[str]:
    """Say where a policy is gone, or people read another than the replicas."""
    policies = (f"{where.release}-policy", f"{where.release}-policy-in-force")
    try:
        found = [client.get(resources.CONFIG_MAP, name, where.namespace) for name in policies]
    except NotFound as error:
        yield f"{error}: apply the chart again, before a replica starts anew"
        return
    except Unavailable:
        return
    shown, used = (_without_exempt((each.get("data") or {}).get(POLICY_KEY)) for each in found)
    if shown != used:
        yield (
            f"ConfigMap {policies[0]} is not what the replicas read, which is {policies[1]}: set "
            "the chart's value policy, which writes both"
        )


def _without_exempt(text: str | None) -> Any:
    """A policy without the users that only the replicas read."""
    try:
        return {**yaml.safe_load(text or ""), "exemptUsers": None}
    except (TypeError, yaml.YAMLError):
        return text
