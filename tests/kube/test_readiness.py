"""How long a replica stays ready while it cannot watch, and when it asks again."""

from dataclasses import dataclass

import pytest

from webhook.cli.state_source import check_namespaces
from webhook.kube.errors import ApiError
from webhook.kube.retry import Backoff, delay


@dataclass
class Failing:
    """A watch of namespaces that fails for so long."""

    seconds: float
    listed: bool = True

    def failing_for(self) -> float:
        """The seconds."""
        return self.seconds

    def problem(self) -> str:
        """Why."""
        return "refused"


@pytest.mark.parametrize(("seconds", "ready"), [(330, True), (610, False)])
def test_an_api_server_away_for_five_minutes_costs_no_readiness(seconds: float, *, ready: bool):
    """It asks as soon as it is back, before a kubelet has told that all are ready again."""
    health = check_namespaces(Failing(seconds))  # type: ignore[arg-type]
    assert (health.ok, health.detail) == (ready, "namespaces: refused")


def test_an_api_server_that_is_back_is_found_within_ten_seconds():
    assert delay(ApiError(None, "refused"), 100, chance=1, backoff=Backoff()) == 10
