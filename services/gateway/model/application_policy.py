"""What a vendor lets an application's desktops call and see: the values behind the policy file.

Pure: `policy_file` reads these values from TOML, `policy` decides calls by them, quota and documents ask
them for shares, caches and report types. What no rule names is closed: an operation that no `Opening` names
is not called, a field that no `FieldRule` names is masked. Operations are named as
`<api>.<operationId>` with `*` for any run of characters, e.g. "ordersV0.*".

The rules' order matters only for fields, caches and budgets, where the first that fits decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from services.gateway.model.calls import Profile
from services.gateway.model.priority import Priority

ANY = "*"

# The classes of personal members that the catalogue knows; see catalogue/pii.py.
CLASSES = frozenset(
    {
        *("address_line", "buyer_reference", "company", "customization", "document", "document_url"),
        *("email", "free_text", "geo", "gift_message", "locality", "name", "phone", "regulated", "tax_id"),
    }
)

# The scopes that auth gives to devices: every device has the first, the vendor decides about the second.
SCOPE_CALL = "orders"
SCOPE_PII = "pii"
SCOPES = frozenset({SCOPE_CALL, SCOPE_PII})

# What a call is for when neither the caller nor the vendor says.
PURPOSE_UNSTATED = "unstated"


class Sight(StrEnum):
    """What a desktop gets of a personal member: Amazon's own value, a stand-in, or no member at all."""

    FULL = "full"
    MASKED = "masked"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what for, as far as rules ask.

    Attributes:
        scopes: of the device.
        purpose: stated by the call, or the policy's default.
    """

    device_id: str
    profile: Profile
    scopes: frozenset[str]
    purpose: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Which calls a rule is about; an empty set asks nothing.

    Attributes:
        operations: patterns of operation names, at least one.
        scopes: all of them the device must have.
        profiles: one of them the device must have.
        purposes: one of them the call must be for.
    """

    operations: tuple[str, ...]
    scopes: frozenset[str] = frozenset()
    profiles: frozenset[Profile] = frozenset()
    purposes: frozenset[str] = frozenset()

    def names(self, operation: str) -> bool:
        """Return whether the rule is about an operation at all."""
        return is_named(operation, self.operations)

    def fit(self, caller: Caller) -> bool:
        """Return whether a caller meets what the rule asks, whatever the operation."""
        return (
            caller.scopes >= self.scopes
            and (not self.profiles or caller.profile in self.profiles)
            and (not self.purposes or caller.purpose in self.purposes)
        )


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What callers who meet the terms see of some classes of personal members.

    Attributes:
        sights: by class; ANY stands for every class that is not named.
    """

    terms: Terms
    sights: Mapping[str, Sight]


@dataclass(frozen=True, slots=True)
class GrantlessRule:
    """Operations of the application's own that some devices may call all the same.

    Attributes:
        device_ids: which devices; ANY for every one.
    """

    terms: Terms
    device_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class DelegationRule:
    """For whose use restricted tokens may be asked, and for which operations.

    Attributes:
        application_id: of another developer; ANY for every one that auth knows as a delegate.
    """

    application_id: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CacheRule:
    """How long answers of some reads may be served again, in seconds; 0 for never."""

    operations: tuple[str, ...]
    life_s: float


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a seller's usage plan for an operation may be used; both from above 0 to 1.

    Attributes:
        of_plan: by all calls of one priority together.
        of_device: by one device.
    """

    of_plan: float = 1.0
    of_device: float = 1.0


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """The share of some operations' usage plans for one priority; None for both."""

    operations: tuple[str, ...]
    priority: Priority | None
    share: Share


WHOLE_PLAN = Share()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPolicy:
    """Everything that one policy file says.

    Attributes:
        openings: what may be called; one that names the operation and whose terms the caller meets is enough.
        denied: patterns of operations that are closed whatever `openings` say.
        fields: the first whose terms are met and that tells of a class decides about it.
        purposes: what a call may say that it is for.
        purpose_default: one of them, of calls that say nothing.
        personal_reports: patterns of report types, besides all that are not known to hold nobody's data.
        digest: SHA-256 of the file in hex; empty for the built-in policy.
    """

    openings: tuple[Terms, ...]
    denied: tuple[str, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    purposes: frozenset[str] = frozenset({PURPOSE_UNSTATED})
    purpose_default: str = PURPOSE_UNSTATED
    grantless: tuple[GrantlessRule, ...] = ()
    delegations: tuple[DelegationRule, ...] = ()
    personal_reports: tuple[str, ...] = ()
    caches: tuple[CacheRule, ...] = ()
    budgets: tuple[BudgetRule, ...] = ()
    digest: str = ""

    def sight(self, operation: str, kind: str, caller: Caller) -> Sight:
        """Return what a caller sees of a class of members in answers; in full never without `pii`."""
        for rule in self.fields:
            sight = rule.sights.get(kind) or rule.sights.get(ANY)
            is_allowed = sight is not Sight.FULL or SCOPE_PII in caller.scopes
            if sight is not None and is_allowed and rule.terms.names(operation) and rule.terms.fit(caller):
                return sight
        return Sight.MASKED

    def opens_grantless(self, operation: str, caller: Caller) -> bool:
        """Return whether a caller may call an operation of the application's own."""
        return any(
            not rule.device_ids.isdisjoint({ANY, caller.device_id})
            and rule.terms.names(operation)
            and rule.terms.fit(caller)
            for rule in self.grantless
        )

    def delegates(self, operation: str, application_id: str) -> bool:
        """Return whether a restricted token for an operation may be asked for another developer's use."""
        return any(
            rule.application_id in {ANY, application_id} and is_named(operation, rule.operations)
            for rule in self.delegations
        )

    def is_personal_report(self, report_type: str) -> bool:
        """Return whether the policy takes files of a report type for personal, whatever else is known."""
        return is_named(report_type, self.personal_reports)

    def cache_life_s(self, operation: str) -> float | None:
        """Return for how long a read's answer may be served again; 0 for never, None where no rule says."""
        lives_s = (rule.life_s for rule in self.caches if is_named(operation, rule.operations))
        return next(lives_s, None)

    def shares(self, operation: str) -> Mapping[Priority, Share]:
        """Return the shares by priority; empty where every call may use the whole usage plan."""
        return {each: self.share(operation, each) for each in Priority} if self.budgets else {}

    def share(self, operation: str, priority: Priority) -> Share:
        """Return how much of a seller's usage plan calls of an operation may use."""
        shares = (
            rule.share
            for rule in self.budgets
            if rule.priority in {None, priority} and is_named(operation, rule.operations)
        )
        return next(shares, WHOLE_PLAN)


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Return whether one of some patterns names this; `*` stands for any run of characters."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


# Without a file: whoever may call, calls what is a seller's own, and sees buyers' data with the scope for it.
BUILT_IN = ApplicationPolicy(
    openings=(Terms(operations=(ANY,), scopes=frozenset({SCOPE_CALL})),),
    fields=(
        FieldRule(
            terms=Terms(operations=(ANY,), scopes=frozenset({SCOPE_PII})),
            sights=MappingProxyType({ANY: Sight.FULL}),
        ),
    ),
    delegations=(DelegationRule(ANY, (ANY,)),),
)
