"""What would become of a new pod, by a dry run or by the core."""

from dataclasses import replace
from typing import Final

import msgspec

from webhook.cli import loaders
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.client import ClusterClient, Forbidden, Unavailable
from webhook.cli.cluster.dry_run import outcome
from webhook.cli.cluster.dry_run.outcome import Now, Object, PodPlace, Untried
from webhook.cli.inspect import denial
from webhook.cli.inspect.denial import By
from webhook.cli.loaders import Cluster
from webhook.cli.manifests import InputError
from webhook.core.api import names
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.integrations import kubernetes
from webhook.core.simulate import simulate
from webhook.kube.errors import ApiError

UNHEARD: Final = (
    "it was taken, but no decision came with it: the webhook does not answer and lets pods pass, "
    "or the policy exempts you, or the namespace is one that is never touched"
)


def try_pod(client: ClusterClient, pod: Object, place: PodPlace) -> Now | Untried:
    """Say what would become of a pod.

    | the dry run | told |
    |---|---|
    | takes it, with our decision on it | that |
    | takes it, with the record that it asks for as a warning | that |
    | is refused by the webhook or the backstop | that |
    | is refused by others, is not allowed, says nothing | what the core decides by the nodes |
    """
    try:
        answer = client.try_create(kubernetes.POD, _asking(pod), place.namespace)
    except Forbidden as forbidden:
        untried = Untried("you may not try it", (forbidden.permission,))
    except Unavailable as error:
        return Untried(str(error))
    except ApiError as failure:
        found = denial.read_denial(failure.message, failure.causes)
        if found.by in (By.WEBHOOK, By.BACKSTOP):
            return outcome.refused(pod, place, found)
        untried = Untried(_prevented(found), refused=found.by)
    else:
        heard = outcome.read_answer(answer, pod, place)
        if heard is not None:
            return heard
        untried = Untried(UNHEARD)
    return _here(client, pod, place, untried)


def _asking(pod: Object) -> Object:
    """The pod with the annotation that asks the webhook for its record."""
    metadata = pod.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), names.EXPLAIN: "true"}
    return {**pod, "metadata": {**metadata, "annotations": annotations}}


def _prevented(found: denial.Denial) -> str:
    if found.by is By.NO_ANSWER:
        return f"the webhook does not answer ({found.text})"
    return f"something else refuses it first ({found.text})"


def _here(client: ClusterClient, pod: Object, place: PodPlace, untried: Untried) -> Now | Untried:
    """Decide as the webhook would, by the nodes, if they can be read."""
    try:
        cluster = Cluster(sources.nodes(client), {})
        inventory = loaders.inventory_of(cluster, place.policy)
        seen = simulate(_request(place), pod, place.policy, inventory)
    except Forbidden as forbidden:
        return replace(untried, missing=(*untried.missing, forbidden.permission))
    except (Unavailable, InputError, msgspec.ValidationError) as error:
        return replace(untried, why=f"{untried.why}; {error}")
    decided = outcome.of_verdict(seen.verdict)
    return replace(decided, aside=untried.why, kept_out=untried.refused)


def _request(place: PodPlace) -> AdmissionRequest:
    return AdmissionRequest(
        side=Side.MUTATE,
        mode=Mode.ENFORCE,
        uid="explain",
        operation="CREATE",
        namespace=place.namespace,
        namespace_labels=place.labels,
    )
