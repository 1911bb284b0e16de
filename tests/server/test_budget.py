"""Advice takes its share of the time and no more."""

from webhook.server.admission.budget import TimeBudget


class Clock:
    """Gives the seconds that the test says."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """The time now."""
        return self.seconds


def test_work_stops_when_its_share_is_spent_and_goes_on_as_time_passes() -> None:
    clock = Clock()
    budget = TimeBudget(share=0.1, saved=0.5, clock=clock)
    for _ in range(4):
        assert budget.is_left()
        with budget.spend():
            clock.seconds += 0.15
    assert not budget.is_left()
    clock.seconds += 3.0
    assert budget.is_left()


def test_no_more_is_saved_than_may_come_at_once() -> None:
    clock = Clock()
    budget = TimeBudget(share=0.1, saved=0.5, clock=clock)
    clock.seconds += 1000.0
    assert budget.is_left()
    with budget.spend():
        clock.seconds += 0.7
    assert not budget.is_left()
