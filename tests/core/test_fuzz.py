"""A short run of `bench/fuzz.py`; the long one is a command."""

from bench import fuzz


def test_no_door_fails_for_what_it_is_sent() -> None:
    assert fuzz.run(count=150, seed=7).keys() == fuzz.doors().keys()
