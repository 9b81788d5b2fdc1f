import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STATE_UNSPECIFIED: _ClassVar[OrderState]
    ORDER_STATE_UNSHIPPED: _ClassVar[OrderState]
    ORDER_STATE_SHIPPED: _ClassVar[OrderState]
    ORDER_STATE_DELIVERED: _ClassVar[OrderState]
ORDER_STATE_UNSPECIFIED: OrderState
ORDER_STATE_UNSHIPPED: OrderState
ORDER_STATE_SHIPPED: OrderState
ORDER_STATE_DELIVERED: OrderState

class OrderObservation(_message.Message):
    __slots__ = ("order_id", "state", "purchased_at", "shipped_at", "delivered_at", "observed_at")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PURCHASED_AT_FIELD_NUMBER: _ClassVar[int]
    SHIPPED_AT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    state: OrderState
    purchased_at: _timestamp_pb2.Timestamp
    shipped_at: _timestamp_pb2.Timestamp
    delivered_at: _timestamp_pb2.Timestamp
    observed_at: _timestamp_pb2.Timestamp
    def __init__(self, order_id: _Optional[str] = ..., state: _Optional[_Union[OrderState, str]] = ..., purchased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., shipped_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ObserveOrdersRequest(_message.Message):
    __slots__ = ("seller_id", "orders")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    orders: _containers.RepeatedCompositeFieldContainer[OrderObservation]
    def __init__(self, seller_id: _Optional[str] = ..., orders: _Optional[_Iterable[_Union[OrderObservation, _Mapping]]] = ...) -> None: ...

class ObserveOrdersResponse(_message.Message):
    __slots__ = ("clocks",)
    CLOCKS_FIELD_NUMBER: _ClassVar[int]
    clocks: _containers.RepeatedCompositeFieldContainer[OrderClock]
    def __init__(self, clocks: _Optional[_Iterable[_Union[OrderClock, _Mapping]]] = ...) -> None: ...

class OrderClock(_message.Message):
    __slots__ = ("order_id", "ends_at", "has_left")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    HAS_LEFT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    ends_at: _timestamp_pb2.Timestamp
    has_left: bool
    def __init__(self, order_id: _Optional[str] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., has_left: _Optional[bool] = ...) -> None: ...

class FindClocksRequest(_message.Message):
    __slots__ = ("seller_id", "order_ids")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, seller_id: _Optional[str] = ..., order_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class FindClocksResponse(_message.Message):
    __slots__ = ("clocks",)
    CLOCKS_FIELD_NUMBER: _ClassVar[int]
    clocks: _containers.RepeatedCompositeFieldContainer[OrderClock]
    def __init__(self, clocks: _Optional[_Iterable[_Union[OrderClock, _Mapping]]] = ...) -> None: ...

class SealRequest(_message.Message):
    __slots__ = ("seller_id", "order_id", "field_set", "plaintext", "fetched_at")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    FIELD_SET_FIELD_NUMBER: _ClassVar[int]
    PLAINTEXT_FIELD_NUMBER: _ClassVar[int]
    FETCHED_AT_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    order_id: str
    field_set: str
    plaintext: bytes
    fetched_at: _timestamp_pb2.Timestamp
    def __init__(self, seller_id: _Optional[str] = ..., order_id: _Optional[str] = ..., field_set: _Optional[str] = ..., plaintext: _Optional[bytes] = ..., fetched_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SealResponse(_message.Message):
    __slots__ = ("expires_at",)
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OpenRequest(_message.Message):
    __slots__ = ("seller_id", "order_id", "field_set", "age_s_max")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    FIELD_SET_FIELD_NUMBER: _ClassVar[int]
    AGE_S_MAX_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    order_id: str
    field_set: str
    age_s_max: int
    def __init__(self, seller_id: _Optional[str] = ..., order_id: _Optional[str] = ..., field_set: _Optional[str] = ..., age_s_max: _Optional[int] = ...) -> None: ...

class OpenResponse(_message.Message):
    __slots__ = ("plaintext", "fetched_at", "expires_at")
    PLAINTEXT_FIELD_NUMBER: _ClassVar[int]
    FETCHED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    plaintext: bytes
    fetched_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, plaintext: _Optional[bytes] = ..., fetched_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EraseDueRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EraseDueResponse(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    def __init__(self, receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ...) -> None: ...

class EraseSellerRequest(_message.Message):
    __slots__ = ("seller_id",)
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    def __init__(self, seller_id: _Optional[str] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("receipt_id", "subject", "statement", "signature", "public_key_pem")
    RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_PEM_FIELD_NUMBER: _ClassVar[int]
    receipt_id: str
    subject: str
    statement: bytes
    signature: bytes
    public_key_pem: str
    def __init__(self, receipt_id: _Optional[str] = ..., subject: _Optional[str] = ..., statement: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., public_key_pem: _Optional[str] = ...) -> None: ...

class ListReceiptsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListReceiptsResponse(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    def __init__(self, receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ...) -> None: ...

class VerifyErasureRequest(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    def __init__(self, subject: _Optional[str] = ...) -> None: ...

class VerifyErasureResponse(_message.Message):
    __slots__ = ("is_erased", "findings")
    IS_ERASED_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    is_erased: bool
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, is_erased: _Optional[bool] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("path", "is_unreachable", "detail")
    PATH_FIELD_NUMBER: _ClassVar[int]
    IS_UNREACHABLE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    path: str
    is_unreachable: bool
    detail: str
    def __init__(self, path: _Optional[str] = ..., is_unreachable: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...
