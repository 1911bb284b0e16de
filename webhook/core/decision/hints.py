"""What a pod is for by what its containers run, where no label tells."""

import re
from collections.abc import Iterable
from typing import Final

from webhook.core.api.pod import Container
from webhook.core.api.workload import Workload
from webhook.core.integrations import registry

_MOST_WORDS: Final = 512
_LONGEST: Final = 16 * 1024  # characters of a command with its arguments that are looked at
_LONGEST_IMAGE: Final = 512
_LONGEST_SHOWN: Final = 24


def _joined(patterns: Iterable[str | None]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns if each) or r"(?!)")


_PROGRAMS: Final = [program for program, _ in registry.programs()]
_PATTERNS: Final = tuple(
    (
        workload,
        _joined(each.command for each in _PROGRAMS if each.workload is workload),
        _joined(each.image for each in _PROGRAMS if each.workload is workload),
    )
    for workload in Workload
    if any(each.workload is workload for each in _PROGRAMS)
)


def workload_of_programs(containers: Iterable[Container]) -> tuple[Workload, str] | None:
    """Return the workload that containers run, and the words that say so.

    Training counts before inference: whole GPUs are right for both. An image counts where the
    container names no command, so that the image's own program runs.
    """
    texts = [(command_line(each), _own_image(each)) for each in containers]
    for workload, command, image in _PATTERNS:
        for line, name in texts:
            found = command.search(line) or image.search(name)
            if found:
                return workload, " ".join(found[0].split()).strip("/:@")[:_LONGEST_SHOWN]
    return None


def command_line(container: Container) -> str:
    """Return command and arguments as one text, of very long ones the beginning."""
    words = (*(container.command or ()), *(container.args or ()))
    return " ".join(words[:_MOST_WORDS])[:_LONGEST]


def _own_image(container: Container) -> str:
    if container.command or not container.image:
        return ""
    image = container.image[:_LONGEST_IMAGE]
    return f"/{image}" + ("" if ":" in image else ":")
