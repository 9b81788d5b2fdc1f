import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from wire.auth.v1 import auth_pb2 as _auth_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BeginPasskeySignInRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PasskeyCeremony(_message.Message):
    __slots__ = ("ceremony", "options_json")
    CEREMONY_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    ceremony: str
    options_json: str
    def __init__(self, ceremony: _Optional[str] = ..., options_json: _Optional[str] = ...) -> None: ...

class SignInWithPasskeyRequest(_message.Message):
    __slots__ = ("ceremony", "credential_json")
    CEREMONY_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_JSON_FIELD_NUMBER: _ClassVar[int]
    ceremony: str
    credential_json: str
    def __init__(self, ceremony: _Optional[str] = ..., credential_json: _Optional[str] = ...) -> None: ...

class SignInWithPasswordRequest(_message.Message):
    __slots__ = ("email", "password", "code", "source")
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    email: str
    password: str
    code: str
    source: str
    def __init__(self, email: _Optional[str] = ..., password: _Optional[str] = ..., code: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class SignedIn(_message.Message):
    __slots__ = ("session_token", "session")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    session: _auth_pb2.Session
    def __init__(self, session_token: _Optional[str] = ..., session: _Optional[_Union[_auth_pb2.Session, _Mapping]] = ...) -> None: ...

class BeginProviderSignInRequest(_message.Message):
    __slots__ = ("browser_secret", "session_token")
    BROWSER_SECRET_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    browser_secret: str
    session_token: str
    def __init__(self, browser_secret: _Optional[str] = ..., session_token: _Optional[str] = ...) -> None: ...

class BeginProviderSignInResponse(_message.Message):
    __slots__ = ("authorization_url",)
    AUTHORIZATION_URL_FIELD_NUMBER: _ClassVar[int]
    authorization_url: str
    def __init__(self, authorization_url: _Optional[str] = ...) -> None: ...

class CompleteProviderSignInRequest(_message.Message):
    __slots__ = ("browser_secret", "state", "code", "issuer")
    BROWSER_SECRET_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    browser_secret: str
    state: str
    code: str
    issuer: str
    def __init__(self, browser_secret: _Optional[str] = ..., state: _Optional[str] = ..., code: _Optional[str] = ..., issuer: _Optional[str] = ...) -> None: ...

class ListCredentialsRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class ListCredentialsResponse(_message.Message):
    __slots__ = ("passkeys", "has_password", "password_expires_at", "email", "is_provider_linked", "is_provider_offered", "changeable_until")
    PASSKEYS_FIELD_NUMBER: _ClassVar[int]
    HAS_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    IS_PROVIDER_LINKED_FIELD_NUMBER: _ClassVar[int]
    IS_PROVIDER_OFFERED_FIELD_NUMBER: _ClassVar[int]
    CHANGEABLE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    passkeys: _containers.RepeatedCompositeFieldContainer[Passkey]
    has_password: bool
    password_expires_at: _timestamp_pb2.Timestamp
    email: str
    is_provider_linked: bool
    is_provider_offered: bool
    changeable_until: _timestamp_pb2.Timestamp
    def __init__(self, passkeys: _Optional[_Iterable[_Union[Passkey, _Mapping]]] = ..., has_password: _Optional[bool] = ..., password_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., email: _Optional[str] = ..., is_provider_linked: _Optional[bool] = ..., is_provider_offered: _Optional[bool] = ..., changeable_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Passkey(_message.Message):
    __slots__ = ("passkey_id", "name", "registered_at", "used_at")
    PASSKEY_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    passkey_id: str
    name: str
    registered_at: _timestamp_pb2.Timestamp
    used_at: _timestamp_pb2.Timestamp
    def __init__(self, passkey_id: _Optional[str] = ..., name: _Optional[str] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., used_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BeginPasskeyRegistrationRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class RegisterPasskeyRequest(_message.Message):
    __slots__ = ("session_token", "ceremony", "credential_json", "name")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CEREMONY_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_JSON_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    ceremony: str
    credential_json: str
    name: str
    def __init__(self, session_token: _Optional[str] = ..., ceremony: _Optional[str] = ..., credential_json: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RegisterPasskeyResponse(_message.Message):
    __slots__ = ("passkey", "signed_in")
    PASSKEY_FIELD_NUMBER: _ClassVar[int]
    SIGNED_IN_FIELD_NUMBER: _ClassVar[int]
    passkey: Passkey
    signed_in: SignedIn
    def __init__(self, passkey: _Optional[_Union[Passkey, _Mapping]] = ..., signed_in: _Optional[_Union[SignedIn, _Mapping]] = ...) -> None: ...

class RemovePasskeyRequest(_message.Message):
    __slots__ = ("session_token", "passkey_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PASSKEY_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    passkey_id: str
    def __init__(self, session_token: _Optional[str] = ..., passkey_id: _Optional[str] = ...) -> None: ...

class RemovePasskeyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BeginPasswordRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class BeginPasswordResponse(_message.Message):
    __slots__ = ("enrolment", "otpauth_uri")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    OTPAUTH_URI_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    otpauth_uri: str
    def __init__(self, enrolment: _Optional[str] = ..., otpauth_uri: _Optional[str] = ...) -> None: ...

class SetPasswordRequest(_message.Message):
    __slots__ = ("session_token", "enrolment", "email", "password", "code", "current_password")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    enrolment: str
    email: str
    password: str
    code: str
    current_password: str
    def __init__(self, session_token: _Optional[str] = ..., enrolment: _Optional[str] = ..., email: _Optional[str] = ..., password: _Optional[str] = ..., code: _Optional[str] = ..., current_password: _Optional[str] = ...) -> None: ...

class SetPasswordResponse(_message.Message):
    __slots__ = ("signed_in",)
    SIGNED_IN_FIELD_NUMBER: _ClassVar[int]
    signed_in: SignedIn
    def __init__(self, signed_in: _Optional[_Union[SignedIn, _Mapping]] = ...) -> None: ...

class RemovePasswordRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class RemovePasswordResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UnlinkProviderRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class UnlinkProviderResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Member(_message.Message):
    __slots__ = ("user_id", "name", "role", "invited_at", "signed_in_at", "credentials")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    INVITED_AT_FIELD_NUMBER: _ClassVar[int]
    SIGNED_IN_AT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    name: str
    role: _auth_pb2.Role
    invited_at: _timestamp_pb2.Timestamp
    signed_in_at: _timestamp_pb2.Timestamp
    credentials: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[_Union[_auth_pb2.Role, str]] = ..., invited_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., signed_in_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., credentials: _Optional[_Iterable[str]] = ...) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class ListMembersResponse(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ...) -> None: ...

class InviteMemberRequest(_message.Message):
    __slots__ = ("session_token", "name", "role", "user_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    name: str
    role: _auth_pb2.Role
    user_id: str
    def __init__(self, session_token: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[_Union[_auth_pb2.Role, str]] = ..., user_id: _Optional[str] = ...) -> None: ...

class InviteMemberResponse(_message.Message):
    __slots__ = ("invitation", "expires_at", "user_id")
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    invitation: str
    expires_at: _timestamp_pb2.Timestamp
    user_id: str
    def __init__(self, invitation: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., user_id: _Optional[str] = ...) -> None: ...

class ChangeRoleRequest(_message.Message):
    __slots__ = ("session_token", "user_id", "role")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    user_id: str
    role: _auth_pb2.Role
    def __init__(self, session_token: _Optional[str] = ..., user_id: _Optional[str] = ..., role: _Optional[_Union[_auth_pb2.Role, str]] = ...) -> None: ...

class ChangeRoleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemoveMemberRequest(_message.Message):
    __slots__ = ("session_token", "user_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    user_id: str
    def __init__(self, session_token: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class RemoveMemberResponse(_message.Message):
    __slots__ = ("sessions_ended", "devices_revoked")
    SESSIONS_ENDED_FIELD_NUMBER: _ClassVar[int]
    DEVICES_REVOKED_FIELD_NUMBER: _ClassVar[int]
    sessions_ended: int
    devices_revoked: int
    def __init__(self, sessions_ended: _Optional[int] = ..., devices_revoked: _Optional[int] = ...) -> None: ...

class ListSellersRequest(_message.Message):
    __slots__ = ("session_token", "after")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    after: str
    def __init__(self, session_token: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class SellerSummary(_message.Message):
    __slots__ = ("seller_id", "name", "active_consents", "active_devices", "next_consent_ends_at")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_CONSENTS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_DEVICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CONSENT_ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    name: str
    active_consents: int
    active_devices: int
    next_consent_ends_at: _timestamp_pb2.Timestamp
    def __init__(self, seller_id: _Optional[str] = ..., name: _Optional[str] = ..., active_consents: _Optional[int] = ..., active_devices: _Optional[int] = ..., next_consent_ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListSellersResponse(_message.Message):
    __slots__ = ("sellers", "has_more")
    SELLERS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    sellers: _containers.RepeatedCompositeFieldContainer[SellerSummary]
    has_more: bool
    def __init__(self, sellers: _Optional[_Iterable[_Union[SellerSummary, _Mapping]]] = ..., has_more: _Optional[bool] = ...) -> None: ...

class ViewSellerRequest(_message.Message):
    __slots__ = ("session_token", "seller_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    seller_id: str
    def __init__(self, session_token: _Optional[str] = ..., seller_id: _Optional[str] = ...) -> None: ...

class ViewSellerResponse(_message.Message):
    __slots__ = ("seller", "consents", "devices", "members")
    SELLER_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    seller: SellerSummary
    consents: _containers.RepeatedCompositeFieldContainer[_auth_pb2.Consent]
    devices: _containers.RepeatedCompositeFieldContainer[_auth_pb2.Device]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    def __init__(self, seller: _Optional[_Union[SellerSummary, _Mapping]] = ..., consents: _Optional[_Iterable[_Union[_auth_pb2.Consent, _Mapping]]] = ..., devices: _Optional[_Iterable[_Union[_auth_pb2.Device, _Mapping]]] = ..., members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ...) -> None: ...

class RevokeSellerDeviceRequest(_message.Message):
    __slots__ = ("session_token", "seller_id", "device_id", "reason")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    seller_id: str
    device_id: str
    reason: str
    def __init__(self, session_token: _Optional[str] = ..., seller_id: _Optional[str] = ..., device_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RevokeSellerDeviceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReviewAccessRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class ExportAccessRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AccessRow(_message.Message):
    __slots__ = ("seller_id", "seller_name", "user_id", "user_name", "role", "credentials", "since", "used_at", "device_id", "device_name", "scopes")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    seller_name: str
    user_id: str
    user_name: str
    role: _auth_pb2.Role
    credentials: _containers.RepeatedScalarFieldContainer[str]
    since: _timestamp_pb2.Timestamp
    used_at: _timestamp_pb2.Timestamp
    device_id: str
    device_name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, seller_id: _Optional[str] = ..., seller_name: _Optional[str] = ..., user_id: _Optional[str] = ..., user_name: _Optional[str] = ..., role: _Optional[_Union[_auth_pb2.Role, str]] = ..., credentials: _Optional[_Iterable[str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., used_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., device_id: _Optional[str] = ..., device_name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class InviteStaffRequest(_message.Message):
    __slots__ = ("name", "role", "user_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    role: _auth_pb2.Role
    user_id: str
    def __init__(self, name: _Optional[str] = ..., role: _Optional[_Union[_auth_pb2.Role, str]] = ..., user_id: _Optional[str] = ...) -> None: ...

class RemoveUserRequest(_message.Message):
    __slots__ = ("user_id", "reason")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    reason: str
    def __init__(self, user_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
