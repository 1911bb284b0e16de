"""The page on reasons, from the reasons themselves."""

from webhook.core.api.reason import Group, Reason
from webhook.core.checks.registry import REASONS

_HEAD = """\
# Reasons

Every decision has one of these codes: in the refusal in square brackets, in the log and audit log as `reason`,
in the metric `gpu_sharing_reviews_total`, and in `gpu-sharing review`. Refusals and warnings name
the command that explains them, `kubectl gpu-sharing reasons CODE`, or the address of your copy of this page
(`reasonsPage` in the chart, `serve --reasons-page`). This page is made from the code by `make generate`.
"""
_NOTES = {
    Group.WAY_AROUND: (
        "These are the [checks](policy.md#guards) of the policy's `guards`: it says who is refused and who "
        "is only warned. An\nupdate is looked at only for what it newly brings.\n"
    )
}


def reasons_page() -> str:
    """Return docs/reasons.md."""
    return _HEAD + "".join(map(_section, Group))


def _section(group: Group) -> str:
    note = f"\n{_NOTES[group]}" if group in _NOTES else ""
    return f"\n## {group}\n{note}" + "".join(
        _reason(each) for each in REASONS.values() if each.group is group
    )


def _reason(reason: Reason) -> str:
    return (
        f"\n### {reason}\n\n{reason.meaning}\n\n"
        f"- For example: {reason.example}\n- What to do: {reason.to_do}\n"
    )
