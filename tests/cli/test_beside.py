"""What `serve` does beside answering: which reviews are offered as events, and its switches."""

from webhook.cli import background
from webhook.core.api import denials, reasons
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Pod
from webhook.core.event import Event
from webhook.core.verdict import Verdict, allowed
from webhook.server.admission.error_boundary import ReviewObserver

REFUSED = Verdict(allowed=False, reason=denials.NO_OFFER, message="none")


def asked(*, dry_run: bool = False) -> AdmissionRequest:
    return AdmissionRequest(
        Side.MUTATE, Mode.ENFORCE, "uid", "CREATE", "shop", dry_run=dry_run, pod=Pod()
    )


def test_every_review_is_told_and_refusals_are_offered_but_not_of_a_dry_run() -> None:
    told: list[AdmissionRequest] = []
    offered: list[Event] = []
    trail = ReviewObserver(
        reviewed=lambda request, _verdict, _seconds: told.append(request),
        failed=lambda _status, _text: None,
        advised=lambda _about, _seconds: None,
        skipped=lambda _why: None,
    )
    telling = background.with_events(trail, offered.append)
    telling.reviewed(asked(), REFUSED, 0.1)
    telling.reviewed(asked(dry_run=True), REFUSED, 0.1)
    telling.reviewed(asked(), allowed(reasons.NO_GPU), 0.1)
    assert len(told) == 3
    assert [(each.namespace, each.note) for each in offered] == [("shop", "none")]
    assert telling.failed is trail.failed
