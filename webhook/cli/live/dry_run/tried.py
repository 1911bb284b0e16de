"""Ask what would become of a pod if it were created now: a dry run, else the core's own answer."""

from dataclasses import replace
from typing import Final

import msgspec

from webhook.cli import settings
from webhook.cli.live import kinds, sources
from webhook.cli.live.access import Access, Lacking, Unavailable
from webhook.cli.live.dry_run import foretold
from webhook.cli.live.dry_run.foretold import Now, Object, Place, Untried
from webhook.cli.objects import InputError
from webhook.cli.settings import Cluster
from webhook.cluster.failure import ApiFailure
from webhook.core.foresee import foresee
from webhook.core.hindsight import refusal
from webhook.core.hindsight.refusal import By
from webhook.core.model import Mode, Request, Side

UNHEARD: Final = (
    "it was taken, but no decision came with it: the webhook does not answer and lets pods pass, "
    "or the policy exempts you, or the namespace is one that is never touched"
)


def now(access: Access, pod: Object, place: Place) -> Now | Untried:
    """Say what would become of a pod.

    | the dry run | told |
    |---|---|
    | takes it, with our decision on it | that |
    | takes it, with a warning of audit mode | that |
    | is refused by the webhook or the backstop | that |
    | is refused by others, is not allowed, says nothing | what the core decides by the nodes |
    """
    try:
        answer = access.try_create(kinds.POD, pod, place.namespace)
    except Lacking as lacking:
        untried = Untried("you may not try it", (lacking.right,))
    except Unavailable as error:
        return Untried(str(error))
    except ApiFailure as failure:
        found = refusal.read(failure.message)
        if found.by in (By.WEBHOOK, By.BACKSTOP):
            return foretold.refused(pod, place, found.wrongs)
        untried = Untried(_prevented(found))
    else:
        heard = foretold.heard(answer, pod, place)
        if heard is not None:
            return heard
        untried = Untried(UNHEARD)
    return _here(access, pod, place, untried)


def _prevented(found: refusal.Refusal) -> str:
    text = found.wrongs[0].text
    if found.by is By.NO_ANSWER:
        return f"the webhook does not answer ({text})"
    return f"something else refuses it first ({text})"


def _here(access: Access, pod: Object, place: Place, untried: Untried) -> Now | Untried:
    """Decide as the webhook would, by the nodes, if they can be read."""
    try:
        cluster = Cluster(sources.nodes(access), {})
        inventory = settings.inventory_of(cluster, place.policy)
        seen = foresee(_request(place), pod, place.policy, inventory)
    except Lacking as lacking:
        return replace(untried, missing=(*untried.missing, lacking.right))
    except (Unavailable, InputError, msgspec.ValidationError) as error:
        return replace(untried, why=f"{untried.why}; {error}")
    return replace(foretold.of_verdict(seen.verdict), aside=untried.why)


def _request(place: Place) -> Request:
    return Request(
        side=Side.MUTATE,
        mode=Mode.ENFORCE,
        uid="explain",
        operation="CREATE",
        namespace=place.namespace,
        namespace_labels=place.labels,
    )
