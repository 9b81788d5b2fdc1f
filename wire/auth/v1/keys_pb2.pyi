import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RotateKeysRequest(_message.Message):
    __slots__ = ("seller_id", "application_id", "staff", "all")
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    STAFF_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    seller_id: str
    application_id: str
    staff: bool
    all: bool
    def __init__(self, seller_id: _Optional[str] = ..., application_id: _Optional[str] = ..., staff: _Optional[bool] = ..., all: _Optional[bool] = ...) -> None: ...

class RotateKeysResponse(_message.Message):
    __slots__ = ("round_id", "keys", "keys_under_way")
    ROUND_ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    KEYS_UNDER_WAY_FIELD_NUMBER: _ClassVar[int]
    round_id: str
    keys: int
    keys_under_way: int
    def __init__(self, round_id: _Optional[str] = ..., keys: _Optional[int] = ..., keys_under_way: _Optional[int] = ...) -> None: ...

class WatchRotationRequest(_message.Message):
    __slots__ = ("round_id",)
    ROUND_ID_FIELD_NUMBER: _ClassVar[int]
    round_id: str
    def __init__(self, round_id: _Optional[str] = ...) -> None: ...

class RotationProgress(_message.Message):
    __slots__ = ("keys", "keys_rewrapped", "keys_closed", "values", "values_done", "values_damaged", "closes_in_s")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    KEYS_REWRAPPED_FIELD_NUMBER: _ClassVar[int]
    KEYS_CLOSED_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VALUES_DONE_FIELD_NUMBER: _ClassVar[int]
    VALUES_DAMAGED_FIELD_NUMBER: _ClassVar[int]
    CLOSES_IN_S_FIELD_NUMBER: _ClassVar[int]
    keys: int
    keys_rewrapped: int
    keys_closed: int
    values: int
    values_done: int
    values_damaged: int
    closes_in_s: int
    def __init__(self, keys: _Optional[int] = ..., keys_rewrapped: _Optional[int] = ..., keys_closed: _Optional[int] = ..., values: _Optional[int] = ..., values_done: _Optional[int] = ..., values_damaged: _Optional[int] = ..., closes_in_s: _Optional[int] = ...) -> None: ...

class DescribeKeysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeKeysResponse(_message.Message):
    __slots__ = ("keys", "oldest_since", "aged", "under_way")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SINCE_FIELD_NUMBER: _ClassVar[int]
    AGED_FIELD_NUMBER: _ClassVar[int]
    UNDER_WAY_FIELD_NUMBER: _ClassVar[int]
    keys: int
    oldest_since: _timestamp_pb2.Timestamp
    aged: int
    under_way: int
    def __init__(self, keys: _Optional[int] = ..., oldest_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., aged: _Optional[int] = ..., under_way: _Optional[int] = ...) -> None: ...
