"""The application's policy in force: read at start, followed while it can be understood.

- A file that cannot be followed at start refuses the start; later the last good one stays in force, and the
  refusal is told once for each such file, in the log, the metrics and the audit log. One that cannot be read
  any more is told in the log and the metrics.
- A change is in the audit log before it is in force: whoever reads the log knows by which policy a call was
  decided. While the log takes nothing, nothing changes.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import chassis.entropy
from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.errors import Unavailable
from services.gateway.model import policy_file
from services.gateway.model.application_policy import BUILT_IN, ApplicationPolicy
from services.gateway.model.audit import AuditEvent, Kind, Phase
from services.gateway.model.policy import Rules
from services.gateway.service.ports import Audit

# What is told of a refused file, in the log.
PROBLEMS_TOLD_MAX = 20
# Instead of a digest.
UNREAD = "-"


class PolicySource(Protocol):
    """Where the policy file is read."""

    async def read(self) -> bytes:
        """Return its bytes as they are now.

        Raises:
            Unavailable: `policy_unreadable`.
        """
        ...


class PolicySignals(Protocol):
    """Where a change of policy is shown."""

    def policy_followed(self, digest: str) -> None:
        """Show that what the file says is in force."""
        ...

    def policy_refused(self, code: str, problems: Sequence[str]) -> None:
        """Show that the file cannot be followed, and the last good one stays in force."""
        ...


class PolicyKeeper:
    """Fits `forward.ports.Policies`: the rules that are in force right now."""

    def __init__(
        self,
        *,
        source: PolicySource,
        audit: Audit,
        signals: PolicySignals,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._source = source
        self._audit = audit
        self._signals = signals
        self._clock = clock
        self._entropy = entropy
        self._rules = Rules(BUILT_IN)
        self._told_digest = BUILT_IN.digest
        # Of what lies there and is not in force; UNREAD while nobody can say what does.
        self._refused_digest = ""

    @property
    def rules(self) -> Rules:
        """What decides the calls that come now; a call under way keeps what it began with."""
        return self._rules

    async def begin(self) -> None:
        """Put the file as it is now in force, at start.

        Raises:
            PolicyInvalid: it cannot be followed.
            Unavailable: `policy_unreadable`.
        """
        self._rules = Rules(policy_file.parse(await self._source.read()))

    async def follow(self) -> None:
        """Put the file as it is now in force, if it has changed and can be followed.

        Raises:
            Unavailable: the file cannot be read, or the audit log takes nothing; nothing has changed.
        """
        await self._tell_followed(self._rules.policy)
        raw = await self._read()
        digest = hashlib.sha256(raw).hexdigest()
        if digest == self._rules.policy.digest:
            self._settle()
        elif digest != self._refused_digest:
            await self._change(raw, digest)

    async def _read(self) -> bytes:
        try:
            return await self._source.read()
        except Unavailable as fault:
            if self._refused_digest != UNREAD:
                self._refused_digest = UNREAD
                self._signals.policy_refused(fault.code, ())
            raise

    async def _change(self, raw: bytes, digest: str) -> None:
        try:
            policy = policy_file.parse(raw)
        except policy_file.PolicyInvalid as refusal:
            await self._record(Kind.POLICY_REFUSED, digest, problems=str(len(refusal.problems)))
            self._refused_digest = digest
            problems = [str(each) for each in refusal.problems[:PROBLEMS_TOLD_MAX]]
            self._signals.policy_refused(refusal.code, problems)
            return
        await self._tell_followed(policy)
        self._rules = Rules(policy)
        self._settle()

    def _settle(self) -> None:
        """Forget a refused file: what lies there now is in force."""
        if self._refused_digest:
            self._refused_digest = ""
            self._signals.policy_followed(self._rules.policy.digest)

    async def _tell_followed(self, policy: ApplicationPolicy) -> None:
        """Return once it is durable that a policy is, or is about to be, in force."""
        if policy.digest != self._told_digest:
            await self._record(Kind.POLICY_CHANGED, policy.digest, previous=self._told_digest)
            self._told_digest = policy.digest
            self._signals.policy_followed(policy.digest)

    async def _record(self, kind: Kind, digest: str, **details: str) -> None:
        event = AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=kind,
            phase=Phase.FACT,
            occurred_at=self._clock.now(),
            actor_id="",
            seller_id="",
            request_id="",
            result="followed" if kind is Kind.POLICY_CHANGED else policy_file.PolicyInvalid.code,
            details={"digest": digest} | details,
        )
        await self._audit.record(event)
