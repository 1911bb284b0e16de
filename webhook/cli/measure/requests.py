"""What the pod templates of a forecast request and hold."""

from collections.abc import Iterable, Mapping

import msgspec

from webhook.cli.cluster.client import Object, metadata
from webhook.cli.forecast.evaluate import AuditRow, find_held
from webhook.core.api.containers import Role
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.api.workload import Workload
from webhook.core.decision import classify
from webhook.core.decision.model_memory import estimate_memory
from webhook.core.gpu.values import Offer
from webhook.core.policy.values import Policy
from webhook.core.rightsizing.join import Owner
from webhook.core.rightsizing.reservation import find_reservation
from webhook.core.rightsizing.values import PodName, TemplateRequest


def owner_of(row: AuditRow) -> Owner:
    """Return what a person applied, of a row."""
    name = metadata(row.group.root).get("name", "")
    return Owner(row.result.namespace, row.group.root["kind"], name)


def pod_name(pod: Object) -> PodName:
    """Return the name of a live pod."""
    data = metadata(pod)
    return PodName(data.get("namespace", ""), data.get("name", ""))


def read_template_request(
    row: AuditRow, nodes: Mapping[str, Node], kv_cache: Mapping[PodName, float], policy: Policy
) -> TemplateRequest:
    """Return what the template of a row requests and holds."""
    verdict, pod = row.result.verdict, row.result.template.pod
    question = classify.classify(msgspec.convert(pod, Pod), {}, policy)
    model = estimate_memory(question) if policy.model_memory else None
    owner = owner_of(row)
    running = [offer for each in row.group.pods for offer in offers_held(each, nodes)]
    full = [kv_cache[pod_name(each)] for each in row.group.pods if pod_name(each) in kv_cache]
    requests = (each for each in verdict.requests if each.container.role is not Role.INIT)
    return TemplateRequest(
        namespace=owner.namespace,
        kind=owner.kind,
        name=owner.name,
        workload=verdict.workload or Workload.UNCLASSIFIED,
        tenant=verdict.tenant,
        pods=row.pods,
        gpus=sum(each.count for each in requests),
        held=row.before - row.waiting,
        strategy=running[0].strategy if running else None,
        written_memory=question.memory,
        written_profile=question.constraints.profile,
        reservation=find_reservation(pod),
        kv_cache=max(full, default=None),
        weights=model.mebibytes if model else None,
        template=row.result.template.path,
    )


def offers_held(pod: Object, nodes: Mapping[str, Node]) -> Iterable[Offer]:
    """Return the offers of its node that a live pod has a request for."""
    requests, offers = find_held(pod, nodes) or ((), ())
    asked = {each.resource for each in requests}
    return tuple(each for each in offers if each.resource in asked)
