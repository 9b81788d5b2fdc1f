from wire.auth.v1 import auth_pb2 as _auth_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JudgeHandoverRequest(_message.Message):
    __slots__ = ("session_token", "amazon_callback_uri")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AMAZON_CALLBACK_URI_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    amazon_callback_uri: str
    def __init__(self, session_token: _Optional[str] = ..., amazon_callback_uri: _Optional[str] = ...) -> None: ...

class Handover(_message.Message):
    __slots__ = ("account_kind", "marketplace_ids", "marketplace_id")
    ACCOUNT_KIND_FIELD_NUMBER: _ClassVar[int]
    MARKETPLACE_IDS_FIELD_NUMBER: _ClassVar[int]
    MARKETPLACE_ID_FIELD_NUMBER: _ClassVar[int]
    account_kind: _auth_pb2.AccountKind
    marketplace_ids: _containers.RepeatedScalarFieldContainer[str]
    marketplace_id: str
    def __init__(self, account_kind: _Optional[_Union[_auth_pb2.AccountKind, str]] = ..., marketplace_ids: _Optional[_Iterable[str]] = ..., marketplace_id: _Optional[str] = ...) -> None: ...

class AnswerHandoverRequest(_message.Message):
    __slots__ = ("session_token", "amazon_callback_uri", "amazon_state", "selling_partner_id", "is_beta", "marketplace_id", "account_kind")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AMAZON_CALLBACK_URI_FIELD_NUMBER: _ClassVar[int]
    AMAZON_STATE_FIELD_NUMBER: _ClassVar[int]
    SELLING_PARTNER_ID_FIELD_NUMBER: _ClassVar[int]
    IS_BETA_FIELD_NUMBER: _ClassVar[int]
    MARKETPLACE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_KIND_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    amazon_callback_uri: str
    amazon_state: str
    selling_partner_id: str
    is_beta: bool
    marketplace_id: str
    account_kind: _auth_pb2.AccountKind
    def __init__(self, session_token: _Optional[str] = ..., amazon_callback_uri: _Optional[str] = ..., amazon_state: _Optional[str] = ..., selling_partner_id: _Optional[str] = ..., is_beta: _Optional[bool] = ..., marketplace_id: _Optional[str] = ..., account_kind: _Optional[_Union[_auth_pb2.AccountKind, str]] = ...) -> None: ...

class AnswerHandoverResponse(_message.Message):
    __slots__ = ("answer_url",)
    ANSWER_URL_FIELD_NUMBER: _ClassVar[int]
    answer_url: str
    def __init__(self, answer_url: _Optional[str] = ...) -> None: ...

class RenewConsentRequest(_message.Message):
    __slots__ = ("session_token", "consent_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    consent_id: str
    def __init__(self, session_token: _Optional[str] = ..., consent_id: _Optional[str] = ...) -> None: ...

class DisconnectConsentRequest(_message.Message):
    __slots__ = ("session_token", "consent_id")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    consent_id: str
    def __init__(self, session_token: _Optional[str] = ..., consent_id: _Optional[str] = ...) -> None: ...

class DisconnectConsentResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
