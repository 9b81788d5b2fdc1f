"""Who may call what, with which of Amazon's tokens, and what of the answer they may see.

- A policy narrows what auth lets a device do: without the scope `orders` it calls nothing, and without `pii`
  it sees nobody's data, whatever the policy says. Only a person or the vendor decides about scopes.
- An operation of the application's own is refused unless the policy opens it to the device; one that renews
  the client secret is refused whatever the policy says.
- An operation that always needs a restricted data token gets one, whoever asks: a device that may not see
  customers' data gets its answer with that hidden.
- One that answers less without such a token gets an ordinary one, unless a restricted handle names data
  elements of which the device may see something: no list fetches data nobody asked for, or may see.
- A link to a personal document is for those who see members of the class `document`; one whose type Amazon
  restricts is asked for with a restricted data token for just this document.
- A restricted handle is good only for what it names, as at Amazon. One that is for another developer's use
  is served with a token that Amazon delegates to that developer's application, if the policy delegates.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from chassis.errors import Denied
from chassis.recent import Recent
from services.gateway.model import kept_answers, targets
from services.gateway.model.application_policy import (
    SCOPE_CALL,
    ApplicationPolicy,
    Caller,
    Share,
    Sight,
    is_named,
)
from services.gateway.model.audit import Kind
from services.gateway.model.calls import Device, Grantless, Loan, Profile, Restriction
from services.gateway.model.documents import DocumentClass
from services.gateway.model.faults import (
    DelegationNotAllowed,
    OperationNotForSellers,
    OperationNotOpen,
    ProfileNotAllowed,
    PurposeNotAllowed,
    RestrictionMismatch,
    ScopeMissing,
)
from services.gateway.model.fields import Fields
from services.gateway.model.masking import Mask
from services.gateway.model.operations import Operation
from services.gateway.model.priority import Priority
from services.gateway.model.restrictions import Elements, elements_asked, needed

# The class of personal members that stands for whole documents too.
DOCUMENT = "document"

# How a call says what it is for.
PURPOSE_HEADER = "x-sallyport-purpose"

# The only scope of the application's own tokens that auth lends.
# Source: proto/wire/auth/v1/lending.proto; SP-API, "Grantless Operations".
SCOPE_LENT = "sellingpartnerapi::notifications"

# One for each operation, profile, set of scopes and purpose that calls lately had; about 1 KB each.
VIEWS_MAX = 5_000

# What calls have in common of whose answers the same is seen: operation, profile, scopes and purpose.
_ViewKind = tuple[str, Profile, frozenset[str], str]
# What those have in common that are forwarded alike: besides, what documents they link to, the data elements
# they ask for, and for whose use.
_PlanKind = tuple[Operation, Profile, frozenset[str], str, DocumentClass | None, Elements | None, str]

# The member in which an answer holds what a data element, or a dataset of `includedData`, stands for.
# Source: Orders v0 model, the members' descriptions; SP-API, "Tokens API", data elements.
_ELEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "buyerInfo": "BuyerInfo",
        "shippingAddress": "ShippingAddress",
        "buyerTaxInformation": "BuyerTaxInformation",
    }
)
# Source: Orders 2026-01-01 model, includedData: the datasets that are about a person and nothing else.
INCLUDED_DATA = "includedData"
DATA_ELEMENTS = "dataElements"
_DATASETS: Mapping[str, str] = MappingProxyType({"BUYER": "buyer", "RECIPIENT": "recipient", "TAX": "tax"})


@dataclass(frozen=True, slots=True)
class View:
    """What one kind of caller sees of one operation's answers.

    Attributes:
        shown: the classes of personal members that are seen as Amazon gave them.
        mask: hides the others; None when there is nothing to hide.
        elements: the data elements of which something is seen.
        datasets_hidden: the values of `includedData` of which nothing is seen.
        searches_hidden: the query parameters that search by customers' data that is not seen.
    """

    shown: frozenset[str]
    mask: Mask | None
    elements: frozenset[str]
    datasets_hidden: frozenset[str]
    searches_hidden: frozenset[str]

    def narrow(self, query: str) -> tuple[str, Sequence[str]]:
        """Return the query that asks for no more than is seen, and the datasets left out."""
        if not self.datasets_hidden:
            return query, ()
        return targets.without_values(query, INCLUDED_DATA, self.datasets_hidden)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one call is forwarded.

    Attributes:
        loan: what one of Amazon's tokens is borrowed for.
        view: what of the answer is seen.
        is_masked: whether all of customers' data is hidden that the answer may hold.
        audit_kind: which event the call is; None when it neither shows nor carries such data, and changes
            nothing.
        purpose: what it is for.
        withheld: data elements that a handle names and of which nothing is seen, so they are not asked for.
        shares: how much of the seller's quota calls of each priority may use; empty: all of it.
        kept_s: for how long the answer may be served again; 0 for never.
    """

    loan: Loan
    view: View
    is_masked: bool
    audit_kind: Kind | None
    purpose: str
    withheld: tuple[str, ...]
    shares: Mapping[Priority, Share]
    kept_s: float


class Rules:
    """A vendor's policy, applied to calls; what it works out is remembered for the next call alike."""

    def __init__(self, policy: ApplicationPolicy) -> None:
        self.policy = policy
        self._views: Recent[_ViewKind, View | type[Denied]] = Recent(VIEWS_MAX)
        self._plans: Recent[_PlanKind, Plan] = Recent(VIEWS_MAX)

    def purpose(self, fields: Fields) -> str:
        """Return what a call is for, by its header field or else by the policy's default.

        Raises:
            PurposeNotAllowed: the policy knows no such purpose.
        """
        told = fields.first.get(PURPOSE_HEADER)
        if told is None:
            return self.policy.purpose_default
        if told not in self.policy.purposes:
            raise PurposeNotAllowed
        return told

    def plan(
        self,
        operation: Operation,
        device: Device,
        *,
        path: str,
        purpose: str,
        document_class: DocumentClass | None = None,
    ) -> Plan:
        """Return how a device's call of an operation is forwarded.

        Args:
            operation: what is called.
            device: who calls, as auth vouches for it.
            path: the call's own path, canonical.
            purpose: what the call is for.
            document_class: of the documents to which the answer links; None when it links to none.

        Raises:
            OperationNotForSellers: it needs the application's own token, and is not opened to the device.
            OperationNotOpen: the policy opens it to nobody.
            ScopeMissing, ProfileNotAllowed, PurposeNotAllowed: the policy opens it, or documents, to others.
            RestrictionMismatch: the device shows a handle that does not name this call.
            DelegationNotAllowed: the handle is for the use of an application that the policy does not name.
        """
        asked = elements_asked(device.restrictions, operation, path)
        target = device.target_application
        key = (operation, device.profile, device.scopes, purpose, document_class, asked, target)
        known = self._plans.peek(key)
        if known is not None:
            return known
        plan = self._plan(operation, device, asked, path=path, purpose=purpose, document_class=document_class)
        # About others decides their very path besides, or which device it is.
        if document_class is not DocumentClass.RESTRICTED and not operation.grantless_scope:
            self._plans.put(key, plan)
        return plan

    def _plan(
        self,
        operation: Operation,
        device: Device,
        asked: Elements | None,
        *,
        path: str,
        purpose: str,
        document_class: DocumentClass | None,
    ) -> Plan:
        view = self.view(operation, device, purpose)
        if document_class not in {None, DocumentClass.PLAIN} and not operation.pii:
            self._check_document(operation, _caller(device, purpose))
        if asked is None:
            raise RestrictionMismatch
        restriction, withheld = needed(operation, asked, view.elements)
        if document_class is DocumentClass.RESTRICTED:
            restriction = Restriction(operation.method, path)
        is_masked = bool(operation.pii) and not view.shown
        return Plan(
            loan=self._loan(operation, device, restriction),
            view=view,
            is_masked=is_masked,
            audit_kind=_kind(operation, is_masked=is_masked),
            purpose=purpose,
            withheld=withheld,
            shares=self.policy.shares(operation.name),
            kept_s=kept_answers.life_s(operation, self.policy),
        )

    def _loan(self, operation: Operation, device: Device, restriction: Restriction | None) -> Loan:
        """Return what a token of Amazon's is borrowed for, and in whose favour."""
        if operation.grantless_scope:
            return Grantless()
        if restriction is None or not device.target_application:
            return restriction
        self.check_delegation(operation, device.target_application)
        return restriction._replace(target_application=device.target_application)

    def view(self, operation: Operation, device: Device, purpose: str) -> View:
        """Return what a device that calls an operation sees of its answers.

        Raises:
            OperationNotForSellers, OperationNotOpen, ScopeMissing, ProfileNotAllowed, PurposeNotAllowed: it
                may not call it.
        """
        if operation.grantless_scope:
            self._check_grantless(operation, _caller(device, purpose))
        key = (operation.key, device.profile, device.scopes, purpose)
        known = self._views.get(key)
        if known is None:
            caller = _caller(device, purpose)
            known = self._refusal(operation, caller) or _view(self.policy, operation, caller)
            self._views.put(key, known)
        if isinstance(known, View):
            return known
        raise known

    def check_delegation(self, operation: Operation, target_application: str) -> None:
        """Return if restricted tokens for an operation may be for another developer's use.

        Raises:
            DelegationNotAllowed: the policy does not say so.
        """
        if not self.policy.delegates(operation.name, target_application):
            raise DelegationNotAllowed

    def _check_document(self, operation: Operation, caller: Caller) -> None:
        """Return if a caller may see personal documents whole; no part of one can be masked."""
        if self.policy.sight(operation.name, DOCUMENT, caller) is not Sight.FULL:
            raise ScopeMissing

    def _check_grantless(self, operation: Operation, caller: Caller) -> None:
        is_lent = operation.grantless_scope == SCOPE_LENT
        if not is_lent or not self.policy.opens_grantless(operation.name, caller):
            raise OperationNotForSellers

    def _refusal(self, operation: Operation, caller: Caller) -> type[Denied] | None:
        """Return why a caller may not call an operation, or None; the reason that is nearest to being met."""
        if SCOPE_CALL not in caller.scopes:
            return ScopeMissing
        if is_named(operation.name, self.policy.denied):
            return OperationNotOpen
        if operation.grantless_scope:
            return None
        terms = [each for each in self.policy.openings if each.names(operation.name)]
        if any(each.fit(caller) for each in terms):
            return None
        entitled = [each for each in terms if caller.scopes >= each.scopes]
        if not entitled:
            return ScopeMissing if terms else OperationNotOpen
        is_right_profile = any(not each.profiles or caller.profile in each.profiles for each in entitled)
        return PurposeNotAllowed if is_right_profile else ProfileNotAllowed


@dataclass(frozen=True, slots=True)
class Standing:
    """Fits `forward.ports.Policies`: rules that do not change while the process lives."""

    rules: Rules


def check_search(view: View, names: Iterable[str]) -> None:
    """Return unless a call searches by what its answer would hide: a hit tells as much as the answer.

    Args:
        view: what the caller sees of the operation's answers.
        names: of the call's query parameters.

    Raises:
        ScopeMissing: the search is by customers' data that the device may not see.
    """
    if not view.searches_hidden.isdisjoint(names):
        raise ScopeMissing


def _caller(device: Device, purpose: str) -> Caller:
    return Caller(device.device_id, device.profile, device.scopes, purpose)


def _view(policy: ApplicationPolicy, operation: Operation, caller: Caller) -> View:
    sights = {kind: policy.sight(operation.name, kind, caller) for kind in operation.pii}
    shown = frozenset(kind for kind, sight in sights.items() if sight is Sight.FULL)
    seen = [path for kind in shown for path in operation.pii[kind]]
    elements = (each for each in operation.data_elements if _holds(seen, _ELEMENTS[each]))
    datasets = _DATASETS if INCLUDED_DATA in operation.query and operation.pii else {}
    hidden = (name for name, member in datasets.items() if not _holds(seen, member))
    return View(
        shown=shown,
        mask=_mask(operation, sights),
        elements=frozenset(elements),
        datasets_hidden=frozenset(hidden),
        searches_hidden=frozenset(_searches(operation, hidden=operation.pii_request.keys() - shown)),
    )


def _searches(operation: Operation, *, hidden: Iterable[str]) -> Iterator[str]:
    """Yield the query parameters that search by classes of which nothing is seen."""
    for kind in hidden:
        yield from (path[1:] for path in operation.pii_request[kind] if path[0] == "?")


def _mask(operation: Operation, sights: Mapping[str, Sight]) -> Mask | None:
    if all(sight is Sight.MASKED for sight in sights.values()):
        return operation.mask
    paths = {
        sight: [path for kind, paths in operation.pii.items() if sights[kind] is sight for path in paths]
        for sight in (Sight.MASKED, Sight.DROPPED)
    }
    masked, dropped = paths[Sight.MASKED], paths[Sight.DROPPED]
    dropped += operation.unmaskable.intersection(masked)
    return Mask(masked, dropped) if masked or dropped else None


def _holds(paths: Iterable[str], member: str) -> bool:
    return any(f".{member}." in path for path in paths)


def _kind(operation: Operation, *, is_masked: bool) -> Kind | None:
    if operation.pii:
        return Kind.PII_MASKED if is_masked else Kind.PII_READ
    # A read that carries somebody's data to Amazon is told like an effect.
    is_told = operation.grantless_scope or operation.pii_request or not operation.is_read
    return Kind.OPERATION_CALLED if is_told else None
