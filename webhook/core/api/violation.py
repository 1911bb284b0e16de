"""What is wrong with a pod, as a value."""

from dataclasses import dataclass

from webhook.core.api.reason import Reason


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong: a reason, where, and a whole sentence with the mend."""

    reason: Reason
    container: str
    message: str
    field: str = ""

    @property
    def text(self) -> str:
        """What people read, the same for equal causes, so that events aggregate."""
        where = f'container "{self.container}": ' if self.container else ""
        return f"{where}{self.message} [{self.reason}]"
