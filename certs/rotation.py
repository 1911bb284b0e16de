"""The rotation of the CA as a state machine that only makes keys.

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

from certs import pki, validation
from certs.authority import Authority, ClusterView, RotationPhase
from certs.pki import NO_PAIR, KeyPair
from certs.reasons import CertReason

# An authority that is deleted again and again leaves a CA each time: no Secret grows without end.
OLD_LIMIT: Final = 16
AHEAD: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RotationRules:
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
class NextAuthority:
    """The authority to store next, and why."""

    authority: Authority
    reason: CertReason


@dataclass(frozen=True, slots=True)
class Rotation:
    """The rotation at one moment: stored state, the cluster's state, rules and time."""

    authority: Authority
    view: ClusterView
    rules: RotationRules
    now: datetime

    def next_change(self) -> NextAuthority | None:
        """Return the authority to store next and why, or None to leave everything.

        | what is stored | next |
        |---|---|
        | no CA, a bad or an aged one | a new CA; the old ones and what is served stay |
        | unknown CAs in use, one of which may have signed what is served | trusted too |
        | a bad leaf or an aged one, and the CA is known everywhere | a new leaf |
        | a bad leaf, while the CA is still being spread | none, until it is |
        | spreading or retiring | `_advance` |
        | anything else | stays |
        """
        stored = self.authority
        fault = validation.validate_ca(stored.ca, self.now)
        if fault is not None:
            return NextAuthority(self._with_new_ca(), fault)
        unknown = self._unknown_cas()
        if unknown or not stored.intact:
            unknown_ca, damaged = CertReason.UNKNOWN_CA_TRUSTED, CertReason.AUTHORITY_DAMAGED
            trusting = replace(stored, old=_limited((*unknown, *stored.old)), intact=True)
            return NextAuthority(
                self._with_served(trusting), unknown_ca if stored.intact else damaged
            )
        fault = validation.validate_leaf(stored.leaf, stored.trusted, self.rules.names, self.now)
        if stored.phase is not RotationPhase.SPREADING and fault is not None:
            return NextAuthority(self._with_new_leaf(stored), fault)
        if fault not in (None, CertReason.LEAF_AGED, CertReason.LEAF_MISSING):
            return NextAuthority(replace(stored, leaf=NO_PAIR, since=None), fault)
        return self._advance() if stored.old else None

    def may_serve(self) -> bool:
        """Whether what the server mounts may be written now.

        | phase | |
        |---|---|
        | steady | yes: nothing else is served that could be verified |
        | any, and it is served already | yes: only the list of CAs beside it is new |
        | spreading | if there is a leaf, and every caBundle was in place for `hurry` |
        | retiring | if every caBundle was seen with its CA |
        """
        stored, view = self.authority, self.view
        if stored.leaf in (view.served.leaf, NO_PAIR):
            return stored.leaf != NO_PAIR
        match stored.phase:
            case RotationPhase.STEADY:
                return True
            case RotationPhase.SPREADING:
                waited = stored.since is not None and self.now - stored.since >= self.rules.hurry
                return waited and stored.held_by(view)
            case RotationPhase.RETIRING:
                return stored.ca_held_by(view)

    def _advance(self) -> NextAuthority | None:
        """Go on with a phase, or wait it out.

        | phase | in place | |
        |---|---|---|
        | spreading | every caBundle | without a leaf to serve meanwhile, `hurry`; else `spread` |
        | retiring | every caBundle, and the Secret | `settle` |
        | retiring | not even the CA, and its leaf is not served | spreading again |
        """
        stored, view, rules = self.authority, self.view, self.rules
        if stored.phase is RotationPhase.SPREADING:
            wait = rules.hurry if stored.leaf == NO_PAIR else rules.spread
            after = NextAuthority(self._with_new_leaf(stored), CertReason.CA_SPREAD)
            return self._waited(after, wait, in_place=stored.held_by(view))
        if view.served.leaf != stored.leaf and not stored.ca_held_by(view):
            return NextAuthority(self._with_served(stored), CertReason.CA_NOT_SPREAD)
        in_place = stored.held_by(view) and view.served == stored.to_serve
        after = NextAuthority(replace(stored, old=(), since=None), CertReason.LEAF_SETTLED)
        return self._waited(after, rules.settle, in_place=in_place)

    def _waited(
        self, after: NextAuthority, wait: timedelta, *, in_place: bool
    ) -> NextAuthority | None:
        """Return what comes after a wait, or what is to be noted of it.

        | in place | since when | |
        |---|---|---|
        | no | known | forget since when |
        | no | unknown | stays |
        | yes | unknown, or more than an hour ahead: no clock is so wrong | now |
        | yes | less than the wait, or a little ahead: another process' clock | stays |
        | yes | longer | what comes after |
        """
        stored, since = self.authority, self.authority.since
        if not in_place:
            forgotten = NextAuthority(replace(stored, since=None), CertReason.WAIT_RESTARTED)
            return forgotten if since else None
        if since is None or since > self.now + AHEAD:
            return NextAuthority(replace(stored, since=self.now), CertReason.WAIT_STARTED)
        return after if self.now - since >= wait else None

    def _with_new_leaf(self, authority: Authority) -> Authority:
        leaf = pki.issue_leaf(authority.ca, self.rules.names, self.now)
        return replace(authority, leaf=leaf, since=None)

    def _with_new_ca(self) -> Authority:
        """Make a CA that is trusted beside the old ones, and keep a good leaf.

        The old ones are all that may have signed what is served.
        """
        known = (*self._unknown_cas(), *self.authority.trusted)
        # One that begins in the future is kept: it may be our clock that is wrong.
        signing = (ca for ca in known if validation.may_sign(ca))
        old = _limited(ca for ca in signing if self.now < ca.not_valid_after_utc)
        made = Authority(ca=pki.issue_ca(self.now), leaf=self.authority.leaf, old=old)
        return self._with_served(made) if old else self._with_new_leaf(made)

    def _with_served(self, authority: Authority) -> Authority:
        """Keep the served or next leaf if a CA that stays trusted signed it.

        Without one the phase is spreading, and the CA signs after the shortest wait.
        """
        if not authority.old:
            return replace(authority, since=None)
        served = (self.view.served.leaf, authority.trusted)
        for leaf, cas in (served, (authority.leaf, authority.old)):
            fault = validation.validate_leaf(leaf, cas, self.rules.names, self.now)
            if fault in (None, CertReason.LEAF_AGED):
                return replace(authority, leaf=leaf, since=None)
        return replace(authority, leaf=NO_PAIR, since=None)

    def _unknown_cas(self) -> tuple[x509.Certificate, ...]:
        """Return the unknown CAs in use that may have signed a replica's leaf.

        So it is after the authority was lost or damaged, or restored from a backup: what came
        later is still served then. If what is served is ours, an unknown CA is none of ours.
        """
        known, served = self.authority.trusted, self.view.served
        if self.authority.intact and self._is_ours(served.leaf):
            return ()
        used = pki.read_certs(b"\n".join((*self.view.bundles, served.bundle)))
        unknown = (ca for ca in used if ca not in known and validation.may_sign(ca))
        return tuple(ca for ca in unknown if validation.is_valid_at(ca, self.now))

    def _is_ours(self, leaf: KeyPair) -> bool:
        cert = pki.read_cert(leaf.cert)
        if cert is None or not validation.is_valid_at(cert, self.now):
            return False
        return any(pki.is_signed(cert, ca) for ca in self.authority.trusted)


def _limited(certs: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple(dict.fromkeys(certs))[:OLD_LIMIT]
