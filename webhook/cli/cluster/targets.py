"""What a person names on the command line: KIND/NAME, KIND NAME or NAME; asks no cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

from webhook.cli.cluster import kinds
from webhook.cli.cluster.kinds import Kind
from webhook.cli.manifests import InputError


@dataclass(frozen=True, slots=True)
class Target:
    """An object by its name; `kind` is None where it is not known here, `word` is as written."""

    kind: Kind | None
    word: str
    name: str

    @property
    def text(self) -> str:
        """As people read it: Deployment/web."""
        return f"{self.kind.name if self.kind else self.word}/{self.name}"


def parse(words: Sequence[str], default: Kind | None = None) -> Target:
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
        parts = [default.name.lower(), *parts]
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - a kind and a name
        usual = default.name.lower() if default else "deployment"
        raise InputError(f"{' '.join(words)!r}: write KIND/NAME, for example {usual}/my-{usual}")
    word, name = parts
    return Target(kinds.named(word), word, name)
