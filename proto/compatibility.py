"""Refuse a change that a peer one release older would not understand (R-26).

`proto/released.json` is the shape of the contracts as last released: every message with its fields and every
RPC with its types. Adding is allowed; removing, renumbering, renaming or retyping is not.

    python -m proto.compatibility             exits 1 and names each break
    python -m proto.compatibility --release   writes the present shape as the released one
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "proto" / "released.json"

Shape: TypeAlias = dict[str, dict[str, str]]
"""Message or service name → field number or RPC name → what an older peer relies on."""


def present_shape() -> Shape:
    """Return the shape of the contracts as the stubs in `wire/` have them."""
    shape: Shape = {}
    for path in sorted((ROOT / "wire").rglob("*_pb2.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        shape.update(_file_shape(importlib.import_module(module).DESCRIPTOR))
    return shape


def breaks(released: Shape, present: Shape) -> list[str]:
    """Return one sentence for each thing that `released` promised and `present` does not keep."""
    return [
        f"{owner} {member}: released as `{promise}`, now `{present.get(owner, {}).get(member, 'absent')}`"
        for owner, members in sorted(released.items())
        for member, promise in sorted(members.items())
        if present.get(owner, {}).get(member) != promise
    ]


def _file_shape(file: FileDescriptor) -> Shape:
    shape = {
        message.full_name: _fields(message) for message in _messages(file.message_types_by_name.values())
    }
    for enum in file.enum_types_by_name.values():
        shape[enum.full_name] = {str(value.number): value.name for value in enum.values}
    for service in file.services_by_name.values():
        shape[service.full_name] = {method.name: _signature(method) for method in service.methods}
    return shape


def _signature(method: MethodDescriptor) -> str:
    request = _sent(method.input_type, is_streamed=method.client_streaming)
    return f"{request} -> {_sent(method.output_type, is_streamed=method.server_streaming)}"


def _sent(message: Descriptor, *, is_streamed: bool) -> str:
    return f"stream {message.full_name}" if is_streamed else message.full_name


def _messages(messages: object) -> Iterator[Descriptor]:
    for message in messages:  # type: ignore[attr-defined]
        yield message
        yield from _messages(message.nested_types)


def _fields(message: Descriptor) -> dict[str, str]:
    return {str(field.number): f"{field.name}: {_type(field)}" for field in message.fields}


def _type(field: FieldDescriptor) -> str:
    referred = field.message_type or field.enum_type
    name = referred.full_name if referred else str(field.type)
    return f"repeated {name}" if field.is_repeated else name


def main() -> int:
    """Compare or release; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m proto.compatibility", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--release", action="store_true", help="write the present shape as the released one")
    present = present_shape()
    if parser.parse_args().release:
        RELEASED.write_text(json.dumps(present, indent=1, sort_keys=True) + "\n")
        return 0
    found = breaks(json.loads(RELEASED.read_text()), present)
    for sentence in found:
        print(sentence, file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
