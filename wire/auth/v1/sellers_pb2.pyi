import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListKnownSellersRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: str
    def __init__(self, after: _Optional[str] = ...) -> None: ...

class ListKnownSellersResponse(_message.Message):
    __slots__ = ("sellers", "has_more")
    SELLERS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    sellers: _containers.RepeatedCompositeFieldContainer[KnownSeller]
    has_more: bool
    def __init__(self, sellers: _Optional[_Iterable[_Union[KnownSeller, _Mapping]]] = ..., has_more: _Optional[bool] = ...) -> None: ...

class FindSellerRequest(_message.Message):
    __slots__ = ("seller_id",)
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    def __init__(self, seller_id: _Optional[str] = ...) -> None: ...

class KnownSeller(_message.Message):
    __slots__ = ("seller_id", "name", "created_at", "active_consents", "active_devices", "offboarding")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_CONSENTS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_DEVICES_FIELD_NUMBER: _ClassVar[int]
    OFFBOARDING_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    name: str
    created_at: _timestamp_pb2.Timestamp
    active_consents: int
    active_devices: int
    offboarding: Offboarding
    def __init__(self, seller_id: _Optional[str] = ..., name: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., active_consents: _Optional[int] = ..., active_devices: _Optional[int] = ..., offboarding: _Optional[_Union[Offboarding, _Mapping]] = ...) -> None: ...

class Offboarding(_message.Message):
    __slots__ = ("closed_at", "key_destroyed_at", "erased_at", "finished_at", "receipt_id")
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    KEY_DESTROYED_AT_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    closed_at: _timestamp_pb2.Timestamp
    key_destroyed_at: _timestamp_pb2.Timestamp
    erased_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    receipt_id: str
    def __init__(self, closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_destroyed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., erased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receipt_id: _Optional[str] = ...) -> None: ...

class OffboardSellerRequest(_message.Message):
    __slots__ = ("seller_id", "reason")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    reason: str
    def __init__(self, seller_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
