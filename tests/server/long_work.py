"""Work that takes as long as a loop may hold the event loop."""

from time import perf_counter

from webhook.process.cooperative import TURN


def taking_a_turn() -> bool:
    """Return True after a whole turn."""
    end = perf_counter() + TURN
    while perf_counter() < end:
        pass
    return True
