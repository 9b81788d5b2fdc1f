"""Every method of auth's surfaces: who may call it, how long it may take, and the event that it is."""

from collections.abc import Mapping
from types import MappingProxyType

import chassis.rpc
from services.auth.model.audit import Kind

GATEWAY = frozenset({"gateway"})
CONSOLE = frozenset({"console"})
# Long enough for a few questions to the key service.
DEADLINE_S = 5.0
# Amazon is asked twice at most, 5 s each.
AMAZON_DEADLINE_S = 15.0
# A password is hashed once, behind a line of others; before it is set it is compared with the last ten.
HASHING_DEADLINE_S = 15.0
# The identity provider is asked three times at most, 4 s each.
PROVIDER_DEADLINE_S = 15.0
# Two hundred names are opened, or a hundred devices' ends told.
NAMES_DEADLINE_S = 15.0
# Every name there is.
REVIEW_DEADLINE_S = 3_600.0
# As long as a waiter may wait for another replica's refresh.
LENDING_DEADLINE_S = 30.0
# Connections are renewed much sooner; a stream's own end does not matter.
STREAM_DEADLINE_S = 86_400.0


def _for_gateway(event: str, deadline_s: float = DEADLINE_S) -> chassis.rpc.Method:
    return chassis.rpc.Method(callers=GATEWAY, deadline_s=deadline_s, event=event)


def _for_console(event: str, deadline_s: float = DEADLINE_S) -> chassis.rpc.Method:
    return chassis.rpc.Method(callers=CONSOLE, deadline_s=deadline_s, event=event)


SERVICE_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "RedeemInvitation": _for_gateway(Kind.SESSION_STARTED),
        "FindSession": _for_gateway("auth.session.found"),
        "EndSession": _for_gateway(Kind.SESSION_ENDED),
        "BeginConsent": _for_gateway("auth.consent.begun"),
        "CompleteConsent": _for_gateway(Kind.CONSENT_COMPLETED, AMAZON_DEADLINE_S),
        "ListConsents": _for_gateway("auth.consents.listed"),
        "AuthorizeDevice": _for_gateway("auth.device.authorized"),
        "ExchangeCode": _for_gateway(Kind.DEVICE_ENROLLED),
        "RefreshBound": _for_gateway("auth.device.refreshed"),
        "EnrolCompatDevice": _for_gateway(Kind.DEVICE_ENROLLED),
        "RefreshCompat": _for_gateway("auth.device.refreshed"),
        "RestrictAccess": _for_gateway("auth.handle.issued"),
        "ListDevices": _for_gateway("auth.devices.listed"),
        "RevokeDevice": _for_gateway(Kind.DEVICE_REVOKED),
        "Introspect": _for_gateway("auth.token.introspected"),
        "WatchRevocations": _for_gateway("auth.revocations.watched", STREAM_DEADLINE_S),
        "LendAmazonToken": _for_gateway("auth.amazon_token.lent", LENDING_DEADLINE_S),
    }
)

AUTHORIZATION_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "BeginDeviceGrant": _for_gateway("auth.device_grant.begun"),
        "FindDeviceGrant": _for_gateway("auth.device_grant.found"),
        "DecideDeviceGrant": _for_gateway(Kind.DEVICE_DECIDED),
        "RedeemDeviceGrant": _for_gateway(Kind.DEVICE_ENROLLED),
        "RevokeToken": _for_gateway(Kind.TOKEN_REVOKED),
        "InspectToken": _for_gateway("auth.token.inspected"),
        "WithholdScopes": _for_gateway(Kind.SCOPES_WITHHELD),
    }
)

LENDING_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {"LendGrantlessToken": _for_gateway("auth.grantless_token.lent", LENDING_DEADLINE_S)}
)

ADMIN_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "RegisterApplication": _for_console(Kind.APPLICATION_REGISTERED),
        "CreateSeller": _for_console(Kind.SELLER_CREATED),
        "InviteUser": _for_console(Kind.USER_INVITED),
        "SetDeviceScopes": _for_console(Kind.DEVICE_SCOPED),
    }
)

CONSENT_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "JudgeHandover": _for_gateway("auth.handover.judged"),
        "AnswerHandover": _for_gateway("auth.consent.begun"),
        "RenewConsent": _for_gateway("auth.consent.begun"),
        "DisconnectConsent": _for_gateway(Kind.CONSENT_REVOKED),
    }
)

PEOPLE_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "BeginPasskeySignIn": _for_gateway("auth.passkey.asked"),
        "SignInWithPasskey": _for_gateway(Kind.SESSION_STARTED),
        "SignInWithPassword": _for_gateway(Kind.SESSION_STARTED, HASHING_DEADLINE_S),
        "BeginProviderSignIn": _for_gateway("auth.provider.asked", PROVIDER_DEADLINE_S),
        "CompleteProviderSignIn": _for_gateway(Kind.SESSION_STARTED, PROVIDER_DEADLINE_S),
        "ListCredentials": _for_gateway("auth.credentials.listed"),
        "BeginPasskeyRegistration": _for_gateway("auth.passkey.begun"),
        "RegisterPasskey": _for_gateway(Kind.CREDENTIAL_ADDED),
        "RemovePasskey": _for_gateway(Kind.CREDENTIAL_REMOVED),
        "BeginPassword": _for_gateway("auth.password.begun"),
        "SetPassword": _for_gateway(Kind.CREDENTIAL_ADDED, HASHING_DEADLINE_S),
        "RemovePassword": _for_gateway(Kind.CREDENTIAL_REMOVED),
        "UnlinkProvider": _for_gateway(Kind.CREDENTIAL_REMOVED),
        "ListMembers": _for_gateway("auth.members.listed", NAMES_DEADLINE_S),
        "InviteMember": _for_gateway(Kind.USER_INVITED),
        "ChangeRole": _for_gateway(Kind.ROLE_CHANGED),
        "RemoveMember": _for_gateway(Kind.USER_REMOVED, NAMES_DEADLINE_S),
        "ListSellers": _for_gateway("auth.sellers.listed", NAMES_DEADLINE_S),
        "ViewSeller": _for_gateway("auth.seller.viewed", NAMES_DEADLINE_S),
        "RevokeSellerDevice": _for_gateway(Kind.DEVICE_REVOKED),
        "ReviewAccess": _for_gateway(Kind.ACCESS_REVIEWED, REVIEW_DEADLINE_S),
    }
)

PEOPLE_ADMIN_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "InviteStaff": _for_console(Kind.USER_INVITED),
        "RemoveUser": _for_console(Kind.USER_REMOVED, NAMES_DEADLINE_S),
        "ExportAccess": _for_console(Kind.ACCESS_REVIEWED, REVIEW_DEADLINE_S),
    }
)

SELLER_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "ListSellers": _for_console("auth.sellers.listed"),
        "FindSeller": _for_console("auth.seller.found"),
        "OffboardSeller": _for_console(Kind.SELLER_OFFBOARDED),
    }
)

APPLICATION_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "ShowApplication": _for_console("auth.application.shown"),
        "RotateSecret": _for_console(Kind.CLIENT_SECRET_REQUESTED, LENDING_DEADLINE_S),
        "PasteSecret": _for_console(Kind.CLIENT_SECRET_KEPT, LENDING_DEADLINE_S),
    }
)

KEY_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "RotateKeys": _for_console(Kind.KEYS_ROTATION_ASKED),
        "WatchRotation": chassis.rpc.Method(
            callers=CONSOLE, deadline_s=STREAM_DEADLINE_S, event="auth.keys.rotation_watched"
        ),
        "DescribeKeys": _for_console("auth.keys.described"),
    }
)
