import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Region(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGION_UNSPECIFIED: _ClassVar[Region]
    REGION_NA: _ClassVar[Region]
    REGION_EU: _ClassVar[Region]
    REGION_FE: _ClassVar[Region]

class Profile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_UNSPECIFIED: _ClassVar[Profile]
    PROFILE_BOUND: _ClassVar[Profile]
    PROFILE_COMPAT: _ClassVar[Profile]

class AccountKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_KIND_UNSPECIFIED: _ClassVar[AccountKind]
    ACCOUNT_KIND_SELLER: _ClassVar[AccountKind]
    ACCOUNT_KIND_VENDOR: _ClassVar[AccountKind]

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_OWNER: _ClassVar[Role]
    ROLE_MEMBER: _ClassVar[Role]
    ROLE_SUPPORT: _ClassVar[Role]
    ROLE_SECURITY: _ClassVar[Role]
    ROLE_AUDITOR: _ClassVar[Role]
REGION_UNSPECIFIED: Region
REGION_NA: Region
REGION_EU: Region
REGION_FE: Region
PROFILE_UNSPECIFIED: Profile
PROFILE_BOUND: Profile
PROFILE_COMPAT: Profile
ACCOUNT_KIND_UNSPECIFIED: AccountKind
ACCOUNT_KIND_SELLER: AccountKind
ACCOUNT_KIND_VENDOR: AccountKind
ROLE_UNSPECIFIED: Role
ROLE_OWNER: Role
ROLE_MEMBER: Role
ROLE_SUPPORT: Role
ROLE_SECURITY: Role
ROLE_AUDITOR: Role

class RedeemInvitationRequest(_message.Message):
    __slots__ = ("invitation",)
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    invitation: str
    def __init__(self, invitation: _Optional[str] = ...) -> None: ...

class RedeemInvitationResponse(_message.Message):
    __slots__ = ("session_token", "session")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    session: Session
    def __init__(self, session_token: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("session_id", "user_id", "seller_id", "seller_name", "user_name", "expires_at", "role", "needs_credential")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_NAME_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NEEDS_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    user_id: str
    seller_id: str
    seller_name: str
    user_name: str
    expires_at: _timestamp_pb2.Timestamp
    role: Role
    needs_credential: bool
    def __init__(self, session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., seller_id: _Optional[str] = ..., seller_name: _Optional[str] = ..., user_name: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., role: _Optional[_Union[Role, str]] = ..., needs_credential: _Optional[bool] = ...) -> None: ...

class FindSessionRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class EndSessionRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class EndSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BeginConsentRequest(_message.Message):
    __slots__ = ("session_token", "marketplace_id", "account_kind")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MARKETPLACE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_KIND_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    marketplace_id: str
    account_kind: AccountKind
    def __init__(self, session_token: _Optional[str] = ..., marketplace_id: _Optional[str] = ..., account_kind: _Optional[_Union[AccountKind, str]] = ...) -> None: ...

class BeginConsentResponse(_message.Message):
    __slots__ = ("consent_url",)
    CONSENT_URL_FIELD_NUMBER: _ClassVar[int]
    consent_url: str
    def __init__(self, consent_url: _Optional[str] = ...) -> None: ...

class CompleteConsentRequest(_message.Message):
    __slots__ = ("session_token", "state", "selling_partner_id", "code")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SELLING_PARTNER_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    state: str
    selling_partner_id: str
    code: str
    def __init__(self, session_token: _Optional[str] = ..., state: _Optional[str] = ..., selling_partner_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("consent_id", "region", "selling_partner_id", "marketplace_id", "granted_at", "expires_at", "status", "account_kind")
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SELLING_PARTNER_ID_FIELD_NUMBER: _ClassVar[int]
    MARKETPLACE_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_KIND_FIELD_NUMBER: _ClassVar[int]
    consent_id: str
    region: Region
    selling_partner_id: str
    marketplace_id: str
    granted_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    status: str
    account_kind: AccountKind
    def __init__(self, consent_id: _Optional[str] = ..., region: _Optional[_Union[Region, str]] = ..., selling_partner_id: _Optional[str] = ..., marketplace_id: _Optional[str] = ..., granted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., account_kind: _Optional[_Union[AccountKind, str]] = ...) -> None: ...

class ListConsentsRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class ListConsentsResponse(_message.Message):
    __slots__ = ("consents",)
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    consents: _containers.RepeatedCompositeFieldContainer[Consent]
    def __init__(self, consents: _Optional[_Iterable[_Union[Consent, _Mapping]]] = ...) -> None: ...

class AuthorizeDeviceRequest(_message.Message):
    __slots__ = ("session_token", "client_id", "redirect_uri", "code_challenge", "scopes", "device_name", "facts", "key_thumbprint", "withheld_scopes")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    CODE_CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_SCOPES_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    device_name: str
    facts: DeviceFacts
    key_thumbprint: str
    withheld_scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_token: _Optional[str] = ..., client_id: _Optional[str] = ..., redirect_uri: _Optional[str] = ..., code_challenge: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., device_name: _Optional[str] = ..., facts: _Optional[_Union[DeviceFacts, _Mapping]] = ..., key_thumbprint: _Optional[str] = ..., withheld_scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class DeviceFacts(_message.Message):
    __slots__ = ("platform", "app_version", "key_storage")
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    APP_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEY_STORAGE_FIELD_NUMBER: _ClassVar[int]
    platform: str
    app_version: str
    key_storage: str
    def __init__(self, platform: _Optional[str] = ..., app_version: _Optional[str] = ..., key_storage: _Optional[str] = ...) -> None: ...

class AuthorizeDeviceResponse(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class ExchangeCodeRequest(_message.Message):
    __slots__ = ("client_id", "code", "code_verifier", "redirect_uri", "key_thumbprint")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CODE_VERIFIER_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    code: str
    code_verifier: str
    redirect_uri: str
    key_thumbprint: str
    def __init__(self, client_id: _Optional[str] = ..., code: _Optional[str] = ..., code_verifier: _Optional[str] = ..., redirect_uri: _Optional[str] = ..., key_thumbprint: _Optional[str] = ...) -> None: ...

class RefreshBoundRequest(_message.Message):
    __slots__ = ("client_id", "refresh_token", "key_thumbprint", "app_version")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    APP_VERSION_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    refresh_token: str
    key_thumbprint: str
    app_version: str
    def __init__(self, client_id: _Optional[str] = ..., refresh_token: _Optional[str] = ..., key_thumbprint: _Optional[str] = ..., app_version: _Optional[str] = ...) -> None: ...

class RefreshCompatRequest(_message.Message):
    __slots__ = ("device_id", "refresh_token")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    refresh_token: str
    def __init__(self, device_id: _Optional[str] = ..., refresh_token: _Optional[str] = ...) -> None: ...

class TokenSet(_message.Message):
    __slots__ = ("access_token", "refresh_token", "expires_in_s", "scopes")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_S_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    refresh_token: str
    expires_in_s: int
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, access_token: _Optional[str] = ..., refresh_token: _Optional[str] = ..., expires_in_s: _Optional[int] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class EnrolCompatDeviceRequest(_message.Message):
    __slots__ = ("session_token", "device_name")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    device_name: str
    def __init__(self, session_token: _Optional[str] = ..., device_name: _Optional[str] = ...) -> None: ...

class EnrolCompatDeviceResponse(_message.Message):
    __slots__ = ("device_id", "refresh_token")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    refresh_token: str
    def __init__(self, device_id: _Optional[str] = ..., refresh_token: _Optional[str] = ...) -> None: ...

class RestrictAccessRequest(_message.Message):
    __slots__ = ("access_token", "restrictions", "target_application")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    TARGET_APPLICATION_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    restrictions: _containers.RepeatedCompositeFieldContainer[Restriction]
    target_application: str
    def __init__(self, access_token: _Optional[str] = ..., restrictions: _Optional[_Iterable[_Union[Restriction, _Mapping]]] = ..., target_application: _Optional[str] = ...) -> None: ...

class Restriction(_message.Message):
    __slots__ = ("method", "path", "data_elements")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    DATA_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    method: str
    path: str
    data_elements: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, method: _Optional[str] = ..., path: _Optional[str] = ..., data_elements: _Optional[_Iterable[str]] = ...) -> None: ...

class RestrictAccessResponse(_message.Message):
    __slots__ = ("access_token", "expires_in_s")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_S_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    expires_in_s: int
    def __init__(self, access_token: _Optional[str] = ..., expires_in_s: _Optional[int] = ...) -> None: ...

class ListDevicesRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class ListDevicesResponse(_message.Message):
    __slots__ = ("devices",)
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    devices: _containers.RepeatedCompositeFieldContainer[Device]
    def __init__(self, devices: _Optional[_Iterable[_Union[Device, _Mapping]]] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("device_id", "seller_id", "name", "profile", "scopes", "key_thumbprint", "expires_at", "enrolled_at", "is_revoked", "restrictions", "regions", "default_marketplace_id", "facts", "used_at", "withheld_scopes", "target_application", "expires_in_s", "user_id")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_AT_FIELD_NUMBER: _ClassVar[int]
    IS_REVOKED_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_MARKETPLACE_ID_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_SCOPES_FIELD_NUMBER: _ClassVar[int]
    TARGET_APPLICATION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_S_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    seller_id: str
    name: str
    profile: Profile
    scopes: _containers.RepeatedScalarFieldContainer[str]
    key_thumbprint: str
    expires_at: _timestamp_pb2.Timestamp
    enrolled_at: _timestamp_pb2.Timestamp
    is_revoked: bool
    restrictions: _containers.RepeatedCompositeFieldContainer[Restriction]
    regions: _containers.RepeatedScalarFieldContainer[Region]
    default_marketplace_id: str
    facts: DeviceFacts
    used_at: _timestamp_pb2.Timestamp
    withheld_scopes: _containers.RepeatedScalarFieldContainer[str]
    target_application: str
    expires_in_s: int
    user_id: str
    def __init__(self, device_id: _Optional[str] = ..., seller_id: _Optional[str] = ..., name: _Optional[str] = ..., profile: _Optional[_Union[Profile, str]] = ..., scopes: _Optional[_Iterable[str]] = ..., key_thumbprint: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., enrolled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_revoked: _Optional[bool] = ..., restrictions: _Optional[_Iterable[_Union[Restriction, _Mapping]]] = ..., regions: _Optional[_Iterable[_Union[Region, str]]] = ..., default_marketplace_id: _Optional[str] = ..., facts: _Optional[_Union[DeviceFacts, _Mapping]] = ..., used_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withheld_scopes: _Optional[_Iterable[str]] = ..., target_application: _Optional[str] = ..., expires_in_s: _Optional[int] = ..., user_id: _Optional[str] = ...) -> None: ...

class RevokeDeviceRequest(_message.Message):
    __slots__ = ("session_token", "device_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    device_id: str
    def __init__(self, session_token: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class RevokeDeviceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IntrospectRequest(_message.Message):
    __slots__ = ("access_token",)
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    def __init__(self, access_token: _Optional[str] = ...) -> None: ...

class WatchRevocationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Revocation(_message.Message):
    __slots__ = ("device_id", "seller_id")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    seller_id: str
    def __init__(self, device_id: _Optional[str] = ..., seller_id: _Optional[str] = ...) -> None: ...

class LendAmazonTokenRequest(_message.Message):
    __slots__ = ("device_id", "region", "restriction", "refused_digest", "target_application")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    RESTRICTION_FIELD_NUMBER: _ClassVar[int]
    REFUSED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TARGET_APPLICATION_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    region: Region
    restriction: Restriction
    refused_digest: bytes
    target_application: str
    def __init__(self, device_id: _Optional[str] = ..., region: _Optional[_Union[Region, str]] = ..., restriction: _Optional[_Union[Restriction, _Mapping]] = ..., refused_digest: _Optional[bytes] = ..., target_application: _Optional[str] = ...) -> None: ...

class AmazonToken(_message.Message):
    __slots__ = ("token", "expires_at", "expires_in_s")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_S_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at: _timestamp_pb2.Timestamp
    expires_in_s: int
    def __init__(self, token: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_in_s: _Optional[int] = ...) -> None: ...

class RegisterApplicationRequest(_message.Message):
    __slots__ = ("application_id", "client_id", "client_secret", "is_draft")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_FIELD_NUMBER: _ClassVar[int]
    IS_DRAFT_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    client_id: str
    client_secret: str
    is_draft: bool
    def __init__(self, application_id: _Optional[str] = ..., client_id: _Optional[str] = ..., client_secret: _Optional[str] = ..., is_draft: _Optional[bool] = ...) -> None: ...

class Application(_message.Message):
    __slots__ = ("application_id", "client_id", "is_draft")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    IS_DRAFT_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    client_id: str
    is_draft: bool
    def __init__(self, application_id: _Optional[str] = ..., client_id: _Optional[str] = ..., is_draft: _Optional[bool] = ...) -> None: ...

class CreateSellerRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CreateSellerResponse(_message.Message):
    __slots__ = ("seller_id",)
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    def __init__(self, seller_id: _Optional[str] = ...) -> None: ...

class InviteUserRequest(_message.Message):
    __slots__ = ("seller_id", "user_name", "role", "user_id")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    user_name: str
    role: Role
    user_id: str
    def __init__(self, seller_id: _Optional[str] = ..., user_name: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., user_id: _Optional[str] = ...) -> None: ...

class InviteUserResponse(_message.Message):
    __slots__ = ("invitation", "expires_at", "user_id")
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    invitation: str
    expires_at: _timestamp_pb2.Timestamp
    user_id: str
    def __init__(self, invitation: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., user_id: _Optional[str] = ...) -> None: ...

class SetDeviceScopesRequest(_message.Message):
    __slots__ = ("seller_id", "device_id", "scopes", "reason")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    device_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, seller_id: _Optional[str] = ..., device_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SetDeviceScopesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
