import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from wire.auth.v1 import auth_pb2 as _auth_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BeginDeviceGrantRequest(_message.Message):
    __slots__ = ("client_id", "scopes", "facts", "key_thumbprint")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    facts: _auth_pb2.DeviceFacts
    key_thumbprint: str
    def __init__(self, client_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., facts: _Optional[_Union[_auth_pb2.DeviceFacts, _Mapping]] = ..., key_thumbprint: _Optional[str] = ...) -> None: ...

class BeginDeviceGrantResponse(_message.Message):
    __slots__ = ("device_code", "user_code", "expires_in_s", "interval_s")
    DEVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_S_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    device_code: str
    user_code: str
    expires_in_s: int
    interval_s: int
    def __init__(self, device_code: _Optional[str] = ..., user_code: _Optional[str] = ..., expires_in_s: _Optional[int] = ..., interval_s: _Optional[int] = ...) -> None: ...

class FindDeviceGrantRequest(_message.Message):
    __slots__ = ("session_token", "user_code")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    user_code: str
    def __init__(self, session_token: _Optional[str] = ..., user_code: _Optional[str] = ...) -> None: ...

class DeviceGrant(_message.Message):
    __slots__ = ("user_code", "client_id", "scopes", "facts", "expires_at")
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    user_code: str
    client_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    facts: _auth_pb2.DeviceFacts
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, user_code: _Optional[str] = ..., client_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., facts: _Optional[_Union[_auth_pb2.DeviceFacts, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DecideDeviceGrantRequest(_message.Message):
    __slots__ = ("session_token", "user_code", "is_approved", "device_name", "withheld_scopes")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    IS_APPROVED_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_SCOPES_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    user_code: str
    is_approved: bool
    device_name: str
    withheld_scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_token: _Optional[str] = ..., user_code: _Optional[str] = ..., is_approved: _Optional[bool] = ..., device_name: _Optional[str] = ..., withheld_scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class DecideDeviceGrantResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RedeemDeviceGrantRequest(_message.Message):
    __slots__ = ("client_id", "device_code", "key_thumbprint")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    device_code: str
    key_thumbprint: str
    def __init__(self, client_id: _Optional[str] = ..., device_code: _Optional[str] = ..., key_thumbprint: _Optional[str] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("client_id", "token")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    token: str
    def __init__(self, client_id: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InspectTokenRequest(_message.Message):
    __slots__ = ("access_token", "key_thumbprint", "token")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEY_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    key_thumbprint: str
    token: str
    def __init__(self, access_token: _Optional[str] = ..., key_thumbprint: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class InspectTokenResponse(_message.Message):
    __slots__ = ("is_active", "is_access_token", "device", "client_id", "user_id", "issued_at", "expires_at")
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    IS_ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    is_active: bool
    is_access_token: bool
    device: _auth_pb2.Device
    client_id: str
    user_id: str
    issued_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, is_active: _Optional[bool] = ..., is_access_token: _Optional[bool] = ..., device: _Optional[_Union[_auth_pb2.Device, _Mapping]] = ..., client_id: _Optional[str] = ..., user_id: _Optional[str] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WithholdScopesRequest(_message.Message):
    __slots__ = ("session_token", "device_id", "scopes")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    device_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_token: _Optional[str] = ..., device_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class WithholdScopesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
