"""What `serve` does beside answering: which reviews are offered as events, and its switches."""

import pytest

from webhook.cli import background
from webhook.cli.manifests import InputError
from webhook.core.admit import Verdict, let_through
from webhook.core.api.model import Mode, Request, Side
from webhook.core.api.pod import Pod
from webhook.core.api.reasons import Reason
from webhook.core.event import Event
from webhook.server.admission.error_boundary import ReviewObserver

REFUSED = Verdict(allowed=False, reason=Reason.NO_OFFER, message="none")


def asked(*, dry_run: bool = False) -> Request:
    return Request(Side.MUTATE, Mode.ENFORCE, "uid", "CREATE", "shop", dry_run=dry_run, pod=Pod())


def test_every_review_is_told_and_refusals_are_offered_but_not_of_a_dry_run() -> None:
    told: list[Request] = []
    offered: list[Event] = []
    trail = ReviewObserver(
        reviewed=lambda request, _verdict, _seconds: told.append(request),
        failed=lambda _status, _text: None,
        advised=lambda _about, _seconds: None,
    )
    telling = background.with_events(trail, offered.append)
    telling.reviewed(asked(), REFUSED, 0.1)
    telling.reviewed(asked(dry_run=True), REFUSED, 0.1)
    telling.reviewed(asked(), let_through(Reason.NO_GPU), 0.1)
    assert len(told) == 3
    assert [(each.namespace, each.note) for each in offered] == [("shop", "none")]
    assert telling.failed is trail.failed


def test_the_switches_are_on_or_off() -> None:
    assert background.parse_switches("on", "off") == background.Switches(
        events=True, undecided=False
    )
    with pytest.raises(InputError, match="--undecided 'yes': expected on or off"):
        background.parse_switches("on", "yes")
