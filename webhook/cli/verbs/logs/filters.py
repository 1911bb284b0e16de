"""Which lines of the audit log are wanted."""

import argparse
from dataclasses import dataclass

from webhook.core.record_values import LogLine


@dataclass(frozen=True, slots=True)
class LineFilter:
    """What a line must have. None is anything. `everything` takes dry runs and the like too."""

    namespace: str | None = None
    workload: str | None = None
    reason: str | None = None
    mode: str | None = None
    owner: str | None = None
    refused: bool = False
    everything: bool = False

    def takes(self, line: LogLine) -> bool:
        """Return whether a line passes. `owner` is a name, or the start of one before a dash."""
        owner = (self.owner or "").rpartition("/")[2]
        return (
            self.namespace in (None, line.namespace)
            and self.workload in (None, line.workload)
            and self.reason in (None, line.reason)
            and self.mode in (None, line.mode)
            and (not owner or line.owner == owner or line.owner.startswith(f"{owner}-"))
            and not (self.refused and line.allowed)
        )

    def skips(self, line: LogLine) -> bool:
        """Return whether a line is a dry run or a validation that found nothing."""
        quiet = line.dry_run or (line.side == "validate" and line.allowed)
        return quiet and not self.everything


def filter_of(args: argparse.Namespace) -> LineFilter:
    """Return the filter that the flags state."""
    return LineFilter(
        namespace=args.namespace,
        workload=args.workload,
        reason=args.reason,
        mode=args.mode,
        owner=args.owner,
        refused=args.refused,
        everything=args.all,
    )
