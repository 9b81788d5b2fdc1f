"""Values into messages, and the parts of messages that several calls read."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, TypeAlias

import grpc.aio

import chassis.rpc
from services.auth.model.consents import AccountKind, OpenConsent, Region
from services.auth.model.device_facts import DeviceFacts, device_facts
from services.auth.model.devices import NamedDevice, Profile
from services.auth.model.lending import Lent
from services.auth.model.people import SignedIn
from services.auth.model.refusals import RegionMissing
from services.auth.model.restricted import Restriction
from services.auth.model.roles import Role
from services.auth.model.tokens import ACCESS_LIFE, Introspection, TokenSet
from wire.auth.v1 import auth_pb2

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

EXPIRES_IN_S = int(ACCESS_LIFE.total_seconds())

REGIONS = MappingProxyType(
    {
        Region.NA: auth_pb2.REGION_NA,
        Region.EU: auth_pb2.REGION_EU,
        Region.FE: auth_pb2.REGION_FE,
    }
)
REGIONS_ASKED = MappingProxyType({message: region for region, message in REGIONS.items()})
ACCOUNT_KINDS = MappingProxyType(
    {
        AccountKind.SELLER: auth_pb2.ACCOUNT_KIND_SELLER,
        AccountKind.VENDOR: auth_pb2.ACCOUNT_KIND_VENDOR,
    }
)
ACCOUNT_KINDS_ASKED = MappingProxyType({message: kind for kind, message in ACCOUNT_KINDS.items()})
PROFILES = MappingProxyType(
    {
        Profile.BOUND: auth_pb2.PROFILE_BOUND,
        Profile.COMPAT: auth_pb2.PROFILE_COMPAT,
    }
)
ROLES = MappingProxyType(
    {
        Role.OWNER: auth_pb2.ROLE_OWNER,
        Role.MEMBER: auth_pb2.ROLE_MEMBER,
        Role.SUPPORT: auth_pb2.ROLE_SUPPORT,
        Role.SECURITY: auth_pb2.ROLE_SECURITY,
        Role.AUDITOR: auth_pb2.ROLE_AUDITOR,
    }
)


def session(signed_in: SignedIn) -> auth_pb2.Session:
    """Return a session with its names."""
    return auth_pb2.Session(
        session_id=signed_in.session.session_id,
        user_id=signed_in.session.user_id,
        seller_id=signed_in.session.seller_id,
        seller_name=signed_in.seller_name,
        user_name=signed_in.user_name,
        expires_at=signed_in.session.expires_at,
        role=ROLES[signed_in.session.role],
        needs_credential=signed_in.session.needs_credential,
    )


def consent(opened: OpenConsent) -> auth_pb2.Consent:
    """Return a consent as its seller sees it."""
    return auth_pb2.Consent(
        consent_id=opened.consent.consent_id,
        region=REGIONS[opened.consent.region],
        selling_partner_id=opened.selling_partner_id,
        marketplace_id=opened.consent.marketplace_id,
        granted_at=opened.consent.granted_at,
        expires_at=opened.consent.expires_at,
        status=opened.status,
        account_kind=ACCOUNT_KINDS[opened.consent.account_kind],
    )


def device(named: NamedDevice) -> auth_pb2.Device:
    """Return a device as its seller sees it."""
    return auth_pb2.Device(
        device_id=named.device.device_id,
        seller_id=named.device.seller_id,
        name=named.name,
        profile=PROFILES[named.device.profile],
        scopes=named.device.scopes,
        key_thumbprint=named.device.key_thumbprint,
        enrolled_at=named.device.enrolled_at,
        is_revoked=named.device.revoked_at is not None,
        facts=facts(named.device.facts),
        used_at=named.device.used_at,
        withheld_scopes=named.device.withheld_scopes,
        user_id=named.device.user_id,
    )


def facts(known: DeviceFacts) -> auth_pb2.DeviceFacts:
    """Return what a desktop said about itself."""
    return auth_pb2.DeviceFacts(
        platform=known.platform, app_version=known.app_version, key_storage=known.key_storage
    )


def facts_told(message: auth_pb2.DeviceFacts) -> DeviceFacts:
    """Return what a desktop says about itself; nothing when the message is absent.

    Raises:
        InvalidDeviceFacts: not in words that are known here.
    """
    return device_facts(message.platform, message.app_version, message.key_storage)


def introspected(found: Introspection) -> auth_pb2.Device:
    """Return a device as the gateway sees it by one of its access tokens."""
    message = device(found.named)
    message.expires_at.FromDatetime(found.access.expires_at)
    message.restrictions.extend(_restriction(each) for each in found.access.restrictions)
    message.regions.extend(REGIONS[region] for region in found.reach.regions)
    message.default_marketplace_id = found.reach.default_marketplace_id
    message.target_application = found.access.target_application
    message.expires_in_s = max(0, int(found.left_s))
    return message


def token_set(tokens: TokenSet) -> auth_pb2.TokenSet:
    """Return what a device is handed."""
    return auth_pb2.TokenSet(
        access_token=tokens.access_token.reveal(),
        refresh_token=tokens.refresh_token.reveal(),
        expires_in_s=EXPIRES_IN_S,
        scopes=tokens.scopes,
    )


def borrower() -> str:
    """Return who borrows: the caller's identity, and what tells its processes apart."""
    return f"{chassis.rpc.caller()}/{chassis.rpc.calling_process()}"


def amazon_token(lent: Lent, expires_in_s: int) -> auth_pb2.AmazonToken:
    """Return a token of Amazon's as it is lent."""
    return auth_pb2.AmazonToken(
        token=lent.token.reveal(), expires_at=lent.expires_at, expires_in_s=expires_in_s
    )


def region_asked(message: auth_pb2.Region) -> Region:
    """Return the region a request names.

    Raises:
        RegionMissing: none.
    """
    region = REGIONS_ASKED.get(message)
    if region is None:
        raise RegionMissing
    return region


def account_kind_asked(message: auth_pb2.AccountKind) -> AccountKind:
    """Return the kind of account a request names; a seller's when it names none."""
    return ACCOUNT_KINDS_ASKED.get(message, AccountKind.SELLER)


def restriction_asked(message: auth_pb2.Restriction) -> Restriction:
    """Return one restriction of a request, in canonical form."""
    return Restriction(
        method=message.method,
        path=message.path,
        data_elements=tuple(sorted(set(message.data_elements))),
    )


def restrictions_asked(messages: Iterable[auth_pb2.Restriction]) -> tuple[Restriction, ...]:
    """Return the restrictions of a request, in canonical form."""
    return tuple(restriction_asked(message) for message in messages)


def _restriction(restriction: Restriction) -> auth_pb2.Restriction:
    return auth_pb2.Restriction(
        method=restriction.method, path=restriction.path, data_elements=restriction.data_elements
    )
