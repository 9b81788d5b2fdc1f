"""The record of every call that reached the simulated Amazon: proof of what did, and of what did not.

It holds no body, no query value, no header value but the user agent, and of tokens the kind and a digest.
Calls are appended to a file as they come (a killed simulator keeps them) and the latest CALLS_MAX stay
readable.
"""

import bisect
import itertools
import json
import operator
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import simulator.files

CALLS_MAX = 100_000


@dataclass(frozen=True)
class Call:
    """One call; `ordinal` counts from 1 and never repeats, `fault` is what the simulator did to it.

    `is_over_plan` says that the caller's usage plan had no room. `began_s` and `ended_s` are when the request
    had come and when its answer had left, on the machine's monotonic clock; None while it is under way, and
    after a restart of the simulator.
    """

    ordinal: int
    at: str
    request_id: str
    face: str
    method: str
    path: str
    query_names: tuple[str, ...]
    header_names: tuple[str, ...]
    client: str
    user_agent: str
    operation: str
    application_id: str
    seller_id: str
    grant_type: str
    token_kind: str
    token_digest: str
    status: int
    fault: str
    is_over_plan: bool = False
    began_s: float = 0.0
    ended_s: float | None = None


class Shelf(Protocol):
    """Where calls are kept beyond the life of the process."""

    def append(self, call: Call) -> None:
        """Keep one more call."""
        ...

    def replace(self, calls: Iterable[Call]) -> None:
        """Keep these calls only."""
        ...


class FileShelf:
    """Calls as lines of JSON in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = self._opened()

    def read(self) -> list[Call]:
        """Return the calls kept, oldest first, at most CALLS_MAX; a torn line is passed over."""
        lines = deque(self._path.read_bytes().split(b"\n"), maxlen=CALLS_MAX + 1)
        return [call for line in lines if (call := _decoded(line)) is not None]

    def append(self, call: Call) -> None:
        """Write one more line, in one piece."""
        os.write(self._descriptor, _encoded(call))

    def replace(self, calls: Iterable[Call]) -> None:
        """Replace the file by these calls."""
        simulator.files.replace(self._path, b"".join(map(_encoded, calls)), mode=0o600)
        os.close(self._descriptor)
        self._descriptor = self._opened()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


class Record:
    """The latest calls, oldest first."""

    def __init__(self, *, shelf: Shelf, calls: Iterable[Call] = ()) -> None:
        self._shelf = shelf
        self._calls = deque(calls, maxlen=CALLS_MAX)
        self._since_tidy = 0
        self.ordinal = self._calls[-1].ordinal if self._calls else 0

    def add(self, call: Call) -> None:
        """Keep a call; the oldest gives way when CALLS_MAX are kept."""
        self.ordinal = call.ordinal
        self._calls.append(call)
        self._since_tidy += 1
        if self._since_tidy > CALLS_MAX:
            self._since_tidy = 0
            self._shelf.replace(self._calls)
        else:
            self._shelf.append(call)

    def end(self, ordinal: int, ended_s: float) -> None:
        """Note when a call's answer had left; harmless when the call has given way meanwhile."""
        place = self._place(ordinal)
        if place < len(self._calls) and self._calls[place].ordinal == ordinal:
            self._calls[place] = replace(self._calls[place], ended_s=ended_s)

    def after(self, ordinal: int, *, limit: int) -> list[Call]:
        """Return at most `limit` calls after the one numbered `ordinal`, oldest first."""
        first = self._place(ordinal + 1)
        return list(itertools.islice(self._calls, first, first + limit))

    def clear(self) -> None:
        """Forget every call; numbering goes on."""
        self._calls.clear()
        self._shelf.replace(())

    def _place(self, ordinal: int) -> int:
        """Return where the first call from this number on lies."""
        return bisect.bisect_left(self._calls, ordinal, key=operator.attrgetter("ordinal"))


def _encoded(call: Call) -> bytes:
    return json.dumps(asdict(call), separators=(",", ":")).encode() + b"\n"


def _decoded(line: bytes) -> Call | None:
    try:
        values: dict[str, Any] = json.loads(line)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return Call(**(values | lists))
    except (ValueError, TypeError, AttributeError):
        return None
