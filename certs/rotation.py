"""The rotation as a state machine: from what is stored and what is seen to what is stored next.

It is pure but for the keys it makes; who reads and writes the cluster is the keeper.

The argument, in four lines. At every moment each leaf that any replica may serve verifies by
each caBundle that any API server may use: a CA is trusted everywhere before a leaf of it is
served anywhere, and until no leaf of it is served anywhere. The old CA's key is not needed for
that, so it is gone as soon as a new CA is made, and a lost authority heals by the same phases.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from certs import judge, pki
from certs.pki import NO_PAIR, Pair
from certs.reasons import Reason
from certs.state import Phase, Seen, State, holds_all, holds_ca, phase, projection, trusted

# An authority that is deleted again and again leaves a CA each time: no Secret grows without end.
OLD_LIMIT: Final = 16
AHEAD: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """The Service's names, and how long the waits are.

    `spread`: from all caBundles in place until the new CA signs. `hurry`: the same when there is
    no leaf to serve meanwhile: only what an API server needs to see a new caBundle. `settle`:
    from the Secret in place until every replica has it: the kubelet's sync period and cache, and
    the reload.
    """

    names: tuple[str, ...]
    spread: timedelta = timedelta(minutes=5)
    settle: timedelta = timedelta(minutes=10)
    hurry: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Change:
    """The state to store next, and why."""

    state: State
    reason: Reason


def next_change(state: State, seen: Seen, rules: Rules, now: datetime) -> Change | None:
    """Return the next state and why, or None to leave everything.

    | what is stored | next |
    |---|---|
    | no CA, a bad or an aged one | a new CA; the old ones and what is served stay |
    | unknown CAs in force, one of which may have signed what is served | they are trusted too |
    | a bad leaf or an aged one, and the CA is known everywhere | a new leaf |
    | a bad leaf, while the CA is still being spread | none, until it is |
    | spreading or retiring | `_advance` |
    | anything else | stays |
    """
    fault = judge.judge_ca(state.ca, now)
    if fault is not None:
        return Change(_with_new_ca(state, seen, rules, now), fault)
    strangers = _strangers(state, seen, now)
    if strangers or not state.intact:
        reason = Reason.STRANGERS_IN_FORCE if state.intact else Reason.AUTHORITY_DAMAGED
        old = _limited((*strangers, *state.old))
        return Change(_with_served(replace(state, old=old, intact=True), seen, rules, now), reason)
    fault = judge.judge_leaf(state.leaf, trusted(state), rules.names, now)
    if phase(state) is not Phase.SPREADING and fault is not None:
        return Change(_with_new_leaf(state, rules, now), fault)
    if fault not in (None, Reason.LEAF_AGED, Reason.LEAF_MISSING):
        return Change(replace(state, leaf=NO_PAIR, since=None), fault)
    return _advance(state, seen, rules, now) if state.old else None


def may_serve(state: State, seen: Seen, rules: Rules, now: datetime) -> bool:
    """Whether what the server mounts may be written now.

    | phase | |
    |---|---|
    | steady | yes: nothing else is served that could be verified |
    | any, and it is served already | yes: only the list of CAs beside it is new |
    | spreading | if there is a leaf, and every caBundle was in place for `hurry` |
    | retiring | if every caBundle was seen with its CA |
    """
    if state.leaf in (seen.served.leaf, NO_PAIR):
        return state.leaf != NO_PAIR
    match phase(state):
        case Phase.STEADY:
            return True
        case Phase.SPREADING:
            waited = state.since is not None and now - state.since >= rules.hurry
            return waited and holds_all(state, seen)
        case Phase.RETIRING:
            return holds_ca(state, seen)


def _advance(state: State, seen: Seen, rules: Rules, now: datetime) -> Change | None:
    """Go on with a phase, or wait it out.

    | phase | in place | |
    |---|---|---|
    | spreading | every caBundle | without a leaf to serve meanwhile, `hurry`; else `spread` |
    | retiring | every caBundle, and the Secret | `settle` |
    | retiring | not even the CA, and its leaf is not served | spreading again |
    """
    if phase(state) is Phase.SPREADING:
        wait = rules.hurry if state.leaf == NO_PAIR else rules.spread
        after = Change(_with_new_leaf(state, rules, now), Reason.CA_SPREAD)
        return _waited((state, after), wait, now, in_place=holds_all(state, seen))
    if seen.served.leaf != state.leaf and not holds_ca(state, seen):
        return Change(_with_served(state, seen, rules, now), Reason.CA_NOT_SPREAD)
    in_place = holds_all(state, seen) and seen.served == projection(state)
    after = Change(replace(state, old=(), since=None), Reason.LEAF_SETTLED)
    return _waited((state, after), rules.settle, now, in_place=in_place)


def _waited(
    step: tuple[State, Change], wait: timedelta, now: datetime, *, in_place: bool
) -> Change | None:
    """Return what comes after a wait, or what is to be noted of it.

    | in place | since when | |
    |---|---|---|
    | no | known | forget since when |
    | no | unknown | stays |
    | yes | unknown, or more than an hour ahead: no clock is so wrong | now |
    | yes | less than the wait, or a little ahead: another keeper's clock | stays |
    | yes | longer | what comes after |
    """
    state, after = step
    since = state.since
    if not in_place:
        return Change(replace(state, since=None), Reason.WAIT_RESTARTED) if since else None
    if since is None or since > now + AHEAD:
        return Change(replace(state, since=now), Reason.WAIT_STARTED)
    return after if now - since >= wait else None


def _with_new_leaf(state: State, rules: Rules, now: datetime) -> State:
    return replace(state, leaf=pki.issue_leaf(state.ca, rules.names, now), since=None)


def _with_new_ca(state: State, seen: Seen, rules: Rules, now: datetime) -> State:
    """Make a CA beside all that may have signed what is served, and keep a leaf that is good."""
    known = (*_strangers(state, seen, now), *trusted(state))
    # One that begins in the future is kept: it may be our clock that is wrong.
    old = _limited(ca for ca in known if judge.may_sign(ca) and now < ca.not_valid_after_utc)
    fresh = State(ca=pki.issue_ca(now), leaf=state.leaf, old=old)
    return _with_served(fresh, seen, rules, now) if old else _with_new_leaf(fresh, rules, now)


def _with_served(state: State, seen: Seen, rules: Rules, now: datetime) -> State:
    """Keep the leaf that is served, or that was to be, if a CA that stays trusted signed it.

    Without one the phase is spreading, and the CA signs after the shortest wait.
    """
    if not state.old:
        return replace(state, since=None)
    for leaf, cas in ((seen.served.leaf, trusted(state)), (state.leaf, state.old)):
        if judge.judge_leaf(leaf, cas, rules.names, now) in (None, Reason.LEAF_AGED):
            return replace(state, leaf=leaf, since=None)
    return replace(state, leaf=NO_PAIR, since=None)


def _strangers(state: State, seen: Seen, now: datetime) -> tuple[x509.Certificate, ...]:
    """CAs in force that we do not know and that may have signed what some replica serves.

    So it is after the authority was lost or damaged, or restored from a backup: what came later
    is still served then. If what is served is ours, a CA that we do not know is none of ours.
    """
    known = trusted(state)
    if state.intact and _is_ours(seen.served.leaf, known, now):
        return ()
    unknown = (ca for ca in _in_force(seen) if ca not in known)
    return tuple(ca for ca in unknown if judge.may_sign(ca) and judge.is_alive(ca, now))


def _is_ours(leaf: Pair, known: tuple[x509.Certificate, ...], now: datetime) -> bool:
    cert = pki.read_cert(leaf.cert)
    if cert is None or not judge.is_alive(cert, now):
        return False
    return any(pki.is_signed(cert, ca) for ca in known)


def _in_force(seen: Seen) -> tuple[x509.Certificate, ...]:
    return pki.read_certs(b"\n".join((*seen.bundles, seen.served.bundle)))


def _limited(certs: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple(dict.fromkeys(certs))[:OLD_LIMIT]
