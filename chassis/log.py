"""Logs: one JSON object a line on standard output, about what happened and never about whom.

- A line has time, level, logger, event (fixed words) and fields; those of the request come by themselves.
- Values are shown only when their type is known to be harmless. Secrets hide, credentials in texts are
  taken out, unknown objects appear as their type's name, everything is cut to a bound.
- An exception appears as its type, the code of ours, and the places it passed; never as its message,
  which may quote a row, a URL or an upstream (T-28, T-31).
- Libraries' records take the same way, from warning upwards, their arguments beside their words.
- Writing happens on a thread of its own behind a bounded queue: a reader who stops reading costs lines,
  which are counted, and never holds up a request (R-24).
"""

import functools
import json
import logging
import math
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import Enum
from typing import TextIO

import orjson

import chassis.errors
import chassis.secrecy

TEXT_CHARS_MAX = 1000
INTEGER_MAX = 2**63
ITEMS_MAX = 20
DEPTH_MAX = 4
FRAMES_MAX = 12
CAUSES_MAX = 4
LINES_QUEUED_MAX = 10_000
DRAIN_S = 2.0
# How late a line may be while others are being written.
GATHER_S = 0.1

# Of exactly these types, nothing but length, spelling and credentials in texts need be looked at.
_PLAIN = frozenset({str, int, float, bool})

_ROOT = "sallyport"
_FIELDS = "sallyport_fields"


class Logger:
    """Writes lines for one part of a process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._logger = logging.getLogger(f"{_ROOT}.{name}")

    def debug(self, event: str, /, **fields: object) -> None:
        """Write what only helps while searching for a mistake."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Write what happened as it should."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Write what was refused or had to be repeated."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Write what somebody must look at; pass the exception as a field."""
        self._write(logging.ERROR, event, fields)

    def at(self, level: str, event: str, /, **fields: object) -> None:
        """Write at a level given by name, as `chassis.errors.Treatment.log_level` names it."""
        self._write(_level(level), event, fields)

    def _write(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        lines = _outlet.lines
        if lines is None:
            self._logger.log(level, event, extra={_FIELDS: fields})
        elif level >= lines.level:
            lines.add(event, fields, level=level, logger=self._name, created_s=time.time())


def get(name: str) -> Logger:
    """Return the logger of a part, named like its module."""
    return Logger(name)


@contextmanager
def configure(
    service: str,
    level: str,
    *,
    context: Callable[[], Mapping[str, str]],
    stream: TextIO | None = None,
) -> Iterator[None]:
    """Send this process's logs to standard output while inside.

    Args:
        service: the service's name, on every line.
        level: lowest level written, by name; libraries start at warning whatever it says.
        context: what to add to each line about the request being served.
        stream: where lines go instead of standard output.
    """
    root = logging.getLogger()
    before = root.handlers, root.level, _outlet.lines
    # No line tells of threads and processes. Source: Python's logging HOWTO, "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    spool = Spool(stream or sys.stdout)
    lines = Lines(spool, service, context, level=_level(level))
    root.handlers = [_Libraries(lines)]
    _outlet.lines = lines
    root.setLevel(max(logging.WARNING, _level(level)))
    try:
        yield
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        _outlet.lines = before[2]
        logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True
        spool.close()


class Lines:
    """The lines of one process, each one object of ASCII JSON.

    Attributes:
        level: the lowest that our own loggers write.
    """

    def __init__(
        self, spool: "Spool", service: str, context: Callable[[], Mapping[str, str]], *, level: int
    ) -> None:
        self.level = level
        self._spool = spool
        self._service = service
        self._context = context

    def add(
        self, event: object, fields: Mapping[str, object], *, level: int, logger: str, created_s: float
    ) -> None:
        """Write one line; a field never replaces what the line itself says."""
        own: dict[str, object] = {
            "time": _time(created_s),
            "level": _level_name(level),
            "service": self._service,
            "logger": logger,
            "event": event,
            **self._context(),
        }
        line = {**own, **fields, **own}
        self._spool.put(_plain(line) or _as_json({name: shown(value) for name, value in line.items()}))


class _Libraries(logging.Handler):
    """Writes what libraries tell: their arguments beside their words."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"args": record.args} if record.args else {}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = record.exc_info[1]
        self._lines.add(
            record.msg, fields, level=record.levelno, logger=record.name, created_s=record.created
        )


class _Outlet:
    """Where lines go from anywhere in this process, like logging's own tree of loggers.

    Attributes:
        lines: None until somebody configures; lines go logging's way then, as a library's do.
    """

    lines: Lines | None = None


_outlet = _Outlet()


class Spool:
    """Hands lines to a writing thread; counts those it had to drop.

    Waking a thread costs more than a line, so after each round the thread rests and lines gather.
    """

    def __init__(self, stream: TextIO, lines_max: int = LINES_QUEUED_MAX) -> None:
        self._stream = stream
        self._lines_max = lines_max
        self._lines: deque[str] = deque()
        self._is_waiting = False
        self._arrived = threading.Event()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._counting = threading.Lock()
        self._thread.start()
        self.dropped = 0

    def put(self, line: str) -> None:
        """Queue one line; drop it when the queue is full."""
        if len(self._lines) >= self._lines_max:
            with self._counting:
                self.dropped += 1
            return
        self._lines.append(line)
        if self._is_waiting:
            self._arrived.set()

    def close(self) -> None:
        """Write what is queued, for at most DRAIN_S, and stop."""
        self._is_closing.set()
        self._arrived.set()
        self._thread.join(DRAIN_S)

    def _write(self) -> None:
        reported = 0
        while True:
            self._wait()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if (dropped := self.dropped) > reported:
                lines.append(f'{{"event":"log_lines_dropped","count":{dropped - reported}}}')
                reported = dropped
            try:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()
            except OSError:
                return  # Nobody reads any more: from here on lines are dropped and counted.
            if self._is_closing.wait(GATHER_S) and not self._lines:
                return

    def _wait(self) -> None:
        """Return when there are lines; whoever adds one while we wait wakes us."""
        self._is_waiting = True
        if not self._lines:
            self._arrived.wait()
        self._is_waiting = False
        self._arrived.clear()


def shown(value: object, depth: int = 0) -> object:  # noqa: PLR0911 - one return per known type reads best
    """Return what may be written of a value: JSON made of known types, scrubbed and bounded."""
    match value:
        case str():
            return _cut(value)
        case None | bool():
            return value
        case int() if abs(value) <= INTEGER_MAX:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case chassis.secrecy.Secret():
            return chassis.secrecy.HIDDEN
        case datetime() | date():
            return value.isoformat()
        case BaseException():
            return _exception(value, depth)
        case Mapping() | list() | tuple() | set() | frozenset() if depth < DEPTH_MAX:
            return _container(value, depth)
        case Enum():
            return value.name.lower()
    return f"<{type(value).__name__}>"


def _time(created_s: float) -> str:
    """Return a moment in UTC, to the millisecond."""
    second = int(created_s)
    return f"{_second(second)}.{int((created_s - second) * 1000):03d}+00:00"


@functools.lru_cache(maxsize=2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _container(value: Mapping[object, object] | Collection[object], depth: int) -> object:
    if isinstance(value, Mapping):
        pairs = list(value.items())[:ITEMS_MAX]
        return {str(shown(key, DEPTH_MAX)): shown(item, depth + 1) for key, item in pairs}
    return [shown(item, depth + 1) for item in list(value)[:ITEMS_MAX]]


def _exception(error: BaseException, depth: int) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    told: dict[str, object] = {
        "type": type(error).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, (chassis.errors.SallyportError, chassis.errors.StartRefused)):
        told |= {"code": error.code, "text": _cut(error.text)}
    if isinstance(error, OSError) and error.errno is not None:
        told["errno"] = error.errno
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < CAUSES_MAX:
        told["cause"] = _exception(cause, depth + 1)
    if isinstance(error, BaseExceptionGroup) and depth < CAUSES_MAX:
        told["members"] = [_exception(member, depth + 1) for member in error.exceptions[:CAUSES_MAX]]
    return told


def _plain(line: Mapping[str, object]) -> str | None:
    """Return a line of which every value may be shown as it is; None when one may not, or none is sure to."""
    if not _PLAIN.issuperset(map(type, line.values())):
        return None
    try:
        spelled = orjson.dumps(line, option=orjson.OPT_STRICT_INTEGER)
    except TypeError:
        return None
    # A whole line within the bound of one text has no text beyond it. A number that is none becomes null.
    if len(spelled) > TEXT_CHARS_MAX or not spelled.isascii() or b"null" in spelled:
        return None
    text = spelled.decode("ascii")
    return None if chassis.secrecy.may_hold_credential(text) else text


def _as_json(line: Mapping[str, object]) -> str:
    """Return one line of ASCII; only what is not ASCII yet takes the slower way."""
    try:
        text = orjson.dumps(line)
    except TypeError:
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"))
    if text.isascii():
        return text.decode("ascii")
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"))


def _cut(text: str) -> str:
    return chassis.secrecy.scrub(text[: 2 * TEXT_CHARS_MAX])[:TEXT_CHARS_MAX]


@functools.lru_cache(maxsize=8)
def _level_name(level: int) -> str:
    return logging.getLevelName(level).lower()


@functools.lru_cache(maxsize=8)
def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]
