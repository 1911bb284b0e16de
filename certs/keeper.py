"""One look at the cluster: read, decide, write what differs. It keeps nothing between two looks.

What is written is read first, and the authority last: whoever is late or was suspended holds
older versions of all of it, so its writes end as conflicts instead of undoing newer ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from certs import configuration, names, rotation, stored
from certs.client import Api, ApiError, ConflictError, Json, NotFoundError, Request
from certs.configuration import Configuration
from certs.reasons import SENTENCES, Problem, Reason
from certs.rotation import Rules
from certs.state import Seen, State, phase, projection

ATTEMPTS: Final = 3  # looks in a row that may lose a race; then the next interval's turn


Clock = Callable[[], datetime]  # the wall clock: timers stop while a machine is suspended


class Told(Protocol):
    """What is called with each event: a logger's method, for example."""

    def __call__(self, event: str, /, **fields: object) -> object:
        """Hear of one event."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: the namespace, our Service and Secrets, paths of configurations."""

    namespace: str
    service: str
    serving: str
    authority: str
    configurations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a look saw of the cluster, before it changed anything."""

    configurations: tuple[Configuration, ...]
    seen: Seen
    serving: Json | None
    authority: Json | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a look ended. `steady`: everything was in place before it, so nothing was changed."""

    now: datetime
    state: State
    configurations: tuple[Configuration, ...]
    problems: tuple[Problem, ...]
    steady: bool


class Keeper:
    """Looks at a cluster and mends it; `told` hears of each change with its reason."""

    def __init__(self, api: Api, place: Place, rules: Rules, told: Told) -> None:
        self._api, self._place, self._rules, self._told = api, place, rules, told

    def look(self, clock: Clock) -> Outcome:
        """Read everything and mend what differs; raises ApiError.

        A lost race is read and judged anew at once, and raises ConflictError only at the third.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self._look(clock)
            except ConflictError as error:
                self._tell("lost a race", Reason.RACED, answer=str(error))
        return self._look(clock)

    def _look(self, clock: Clock) -> Outcome:
        found = self._read()
        now = clock()  # after reading: nothing that was read is younger, however long it took
        state = stored.read_state(found.authority)
        change = rotation.next_change(state, found.seen, self._rules, now)
        if change is not None:
            state = change.state
            self._store(found.authority, state, change.reason)
        done = [self._set_bundle(each, state) for each in found.configurations]
        done.append(self._serve(found, state, now))
        problems = (*found.problems, *(each for each in done if isinstance(each, Problem)))
        steady = change is None and not any(done)
        return Outcome(now, state, found.configurations, problems, steady)

    def _read(self) -> Found:
        read = [self._configuration(path) for path in self._place.configurations]
        found = tuple(each for each in read if isinstance(each, Configuration))
        problems = [each for each in read if isinstance(each, Problem)]
        serving = self._secret(self._place.serving)
        seen = Seen(
            bundles=tuple(entry.bundle for each in found for entry in each.entries),
            served=stored.read_served(serving),
            # One that does not exist calls nobody, and is no reason to wait.
            complete=not any(each.reason is Reason.CONFIGURATION_FAILED for each in problems),
        )
        problems += [problem for each in found for problem in each.problems]
        authority = self._secret(self._place.authority)
        return Found(found, seen, serving, authority, tuple(problems))

    def _configuration(self, path: str) -> Configuration | Problem:
        try:
            found = self._api(Request("GET", path))
        except NotFoundError as error:
            return Problem(Reason.CONFIGURATION_MISSING, path, error.message)
        except ApiError as error:
            return Problem(Reason.CONFIGURATION_FAILED, path, str(error))
        return configuration.read(path, found, (self._place.namespace, self._place.service))

    def _secret(self, name: str) -> Json | None:
        try:
            return self._api(Request("GET", f"{self._secrets}/{name}"))
        except NotFoundError:
            return None

    def _store(self, present: Json | None, state: State, reason: Reason) -> None:
        name = self._place.authority
        self._write(present, stored.fresh(name, names.OPAQUE, stored.write_state(state)))
        self._tell("authority written", reason, secret=name, phase=phase(state).value)

    def _set_bundle(self, found: Configuration, state: State) -> bool | Problem:
        """Return whether the caBundle was patched; one that fails does not stop the other."""
        patch = configuration.bundle_patch(found, projection(state).bundle)
        if not patch:
            return False
        try:
            self._api(Request("PATCH", found.path, patch))
        except ConflictError:
            raise
        except ApiError as error:
            return Problem(Reason.CONFIGURATION_FAILED, found.path, str(error))
        self._tell("caBundle patched", Reason.BUNDLE_DIFFERS, configuration=found.path)
        return True

    def _serve(self, found: Found, state: State, now: datetime) -> bool | Problem:
        wanted = projection(state)
        if found.seen.served == wanted:
            return False
        name = self._place.serving
        if not rotation.may_serve(state, found.seen, self._rules, now):
            return Problem(Reason.BUNDLE_NOT_HELD, name)
        self._write(found.serving, stored.fresh(name, names.TLS, stored.write_served(wanted)))
        reason = Reason.SECRET_MISSING if found.serving is None else Reason.SECRET_DIFFERS
        self._tell("serving Secret written", reason, secret=name)
        return True

    def _write(self, present: Json | None, wanted: Json) -> None:
        if present is None:
            self._api(Request("POST", self._secrets, wanted))
            return
        path = f"{self._secrets}/{wanted['metadata']['name']}"
        self._api(Request("PUT", path, stored.renewed(present, wanted)))

    @property
    def _secrets(self) -> str:
        return names.secrets_path(self._place.namespace)

    def _tell(self, event: str, reason: Reason, **fields: object) -> None:
        self._told(event, reason=reason.value, why=SENTENCES[reason], **fields)
