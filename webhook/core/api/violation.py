"""What is wrong with a pod, as a value."""

from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr

from webhook.core.api.reason import Reason, printable

_LONGEST: Final = {"container": 63, "message": 2000, "field": 400}
"""Characters. A pod is reviewed before the API server looks at the length of its names."""


class Violation(Struct, frozen=True):
    """One thing that is wrong: a reason, where, and a whole sentence with the mend.

    What the pod wrote into it is cut, and shows on a screen as what it is.
    """

    reason: Reason
    container: str
    message: str
    field: str = ""

    def __post_init__(self) -> None:
        """Cut and clean all that people read."""
        for name, longest in _LONGEST.items():
            force_setattr(self, name, printable(getattr(self, name)[:longest]))

    @property
    def text(self) -> str:
        """What people read, the same for equal causes, so that events aggregate."""
        where = f'container "{self.container}": ' if self.container else ""
        return f"{where}{self.message} [{self.reason}]"
