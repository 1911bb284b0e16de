"""What a person names on the command line: KIND/NAME, KIND NAME or NAME."""

from collections.abc import Sequence
from dataclasses import dataclass

from webhook.cli.manifests import InputError
from webhook.core.api.resource import ApiResource
from webhook.core.integrations import registry
from webhook.core.integrations.integration import WorkloadResource


@dataclass(frozen=True, slots=True)
class Target:
    """An object by its name, with the kind as written. `resource` is None where it is unknown."""

    resource: WorkloadResource | None
    word: str
    name: str

    @property
    def text(self) -> str:
        """As people read it: Deployment/web."""
        return f"{self.resource.kind if self.resource else self.word}/{self.name}"


def parse_target(words: Sequence[str], default: ApiResource | None = None) -> Target:
    """Read one or two words of the command line.

    | words | the object |
    |---|---|
    | deployment/web, deploy/web, deployments.apps/web | that |
    | deployment web | the same |
    | web | of the default kind; an error where there is none |

    Raises:
        InputError: anything else; the message says what to write.
    """
    parts = [part for word in words for part in word.split("/", 1)]
    if len(parts) == 1 and default is not None:
        parts = [default.kind.lower(), *parts]
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - a kind and a name
        usual = default.kind.lower() if default else "deployment"
        raise InputError(f"{' '.join(words)!r}: write KIND/NAME, for example {usual}/my-{usual}")
    word, name = parts
    return Target(registry.resource_named(word), word, name)
