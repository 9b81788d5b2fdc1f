from wire.auth.v1 import auth_pb2 as _auth_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GrantlessScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GRANTLESS_SCOPE_UNSPECIFIED: _ClassVar[GrantlessScope]
    GRANTLESS_SCOPE_NOTIFICATIONS: _ClassVar[GrantlessScope]
GRANTLESS_SCOPE_UNSPECIFIED: GrantlessScope
GRANTLESS_SCOPE_NOTIFICATIONS: GrantlessScope

class LendGrantlessTokenRequest(_message.Message):
    __slots__ = ("scope", "refused_digest")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    scope: GrantlessScope
    refused_digest: bytes
    def __init__(self, scope: _Optional[_Union[GrantlessScope, str]] = ..., refused_digest: _Optional[bytes] = ...) -> None: ...
