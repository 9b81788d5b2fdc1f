import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowApplicationRequest(_message.Message):
    __slots__ = ("application_id",)
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    def __init__(self, application_id: _Optional[str] = ...) -> None: ...

class ApplicationDetails(_message.Message):
    __slots__ = ("application_id", "client_id", "is_draft", "secrets", "rotation")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    IS_DRAFT_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    client_id: str
    is_draft: bool
    secrets: _containers.RepeatedCompositeFieldContainer[SecretDates]
    rotation: SecretRotation
    def __init__(self, application_id: _Optional[str] = ..., client_id: _Optional[str] = ..., is_draft: _Optional[bool] = ..., secrets: _Optional[_Iterable[_Union[SecretDates, _Mapping]]] = ..., rotation: _Optional[_Union[SecretRotation, _Mapping]] = ...) -> None: ...

class SecretDates(_message.Message):
    __slots__ = ("secret_id", "origin", "kept_at", "expires_at", "is_estimated", "accepted_at", "days_left", "destroyed_at")
    SECRET_ID_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    KEPT_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    IS_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_AT_FIELD_NUMBER: _ClassVar[int]
    secret_id: str
    origin: str
    kept_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    is_estimated: bool
    accepted_at: _timestamp_pb2.Timestamp
    days_left: float
    destroyed_at: _timestamp_pb2.Timestamp
    def __init__(self, secret_id: _Optional[str] = ..., origin: _Optional[str] = ..., kept_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_estimated: _Optional[bool] = ..., accepted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days_left: _Optional[float] = ..., destroyed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SecretRotation(_message.Message):
    __slots__ = ("is_heard", "due_at", "asked_at", "refused_at", "refusal")
    IS_HEARD_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_AT_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    is_heard: bool
    due_at: _timestamp_pb2.Timestamp
    asked_at: _timestamp_pb2.Timestamp
    refused_at: _timestamp_pb2.Timestamp
    refusal: str
    def __init__(self, is_heard: _Optional[bool] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refused_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refusal: _Optional[str] = ...) -> None: ...

class RotateSecretRequest(_message.Message):
    __slots__ = ("application_id", "is_forced", "is_pasted")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    IS_FORCED_FIELD_NUMBER: _ClassVar[int]
    IS_PASTED_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    is_forced: bool
    is_pasted: bool
    def __init__(self, application_id: _Optional[str] = ..., is_forced: _Optional[bool] = ..., is_pasted: _Optional[bool] = ...) -> None: ...

class PasteSecretRequest(_message.Message):
    __slots__ = ("application_id", "client_secret", "expires_at", "is_unverified")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    IS_UNVERIFIED_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    client_secret: str
    expires_at: _timestamp_pb2.Timestamp
    is_unverified: bool
    def __init__(self, application_id: _Optional[str] = ..., client_secret: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_unverified: _Optional[bool] = ...) -> None: ...

class PasteSecretResponse(_message.Message):
    __slots__ = ("is_news", "application")
    IS_NEWS_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    is_news: bool
    application: ApplicationDetails
    def __init__(self, is_news: _Optional[bool] = ..., application: _Optional[_Union[ApplicationDetails, _Mapping]] = ...) -> None: ...
