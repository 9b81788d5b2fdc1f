"""Log lines: what is in them, and what never is."""

import dataclasses
import enum
import io
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.errors
import chassis.log
from chassis.secrecy import HIDDEN, Secret

SENSITIVE = "Jane Doe, 1 Main Street"


class Level(enum.StrEnum):
    """A text that is more than a text."""

    LOW = "l"


@dataclasses.dataclass(frozen=True)
class Buyer:
    """What an encoder of JSON would show of its own accord."""

    name: str = SENSITIVE


class Lines:
    """The lines that were written while logging was configured."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.context: dict[str, str] = {}

    def configure(self, level: str = "info") -> Any:
        return chassis.log.configure("auth", level, context=self._told, stream=self._stream)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def _told(self) -> Mapping[str, str]:
        return self.context


@pytest.fixture
def lines() -> Iterator[Lines]:
    before = logging.getLogger().handlers
    yield Lines()
    assert logging.getLogger().handlers is before


def refuse() -> None:
    raise chassis.errors.NotFound from ValueError(SENSITIVE)


def caught() -> chassis.errors.NotFound:
    with pytest.raises(chassis.errors.NotFound) as told:
        refuse()
    return told.value


def caused(cause: Exception) -> Exception:
    error = Exception()
    error.__cause__ = cause
    return error


def test_a_line_says_when_where_what_and_for_which_request(lines: Lines) -> None:
    lines.context = {"request_id": "r-1", "trace_id": "t-1"}
    with lines.configure():
        chassis.log.get("store").info("grant_found", count=3)
    (line,) = lines.read()
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "level": "info",
        "service": "auth",
        "logger": "store",
        "event": "grant_found",
        "request_id": "r-1",
        "trace_id": "t-1",
        "count": 3,
    }


def test_a_line_tells_the_moment_of_its_event_to_the_millisecond(lines: Lines) -> None:
    told = {"name": "library", "levelno": logging.WARNING, "msg": "e", "created": 1_764_000_000.25}
    with lines.configure():
        logging.getLogger().handle(logging.makeLogRecord(told))
    assert lines.read()[0]["time"] == "2025-11-24T16:00:00.250+00:00"


def test_fields_never_replace_what_the_line_itself_says(lines: Lines) -> None:
    lines.context = {"request_id": "r-1"}
    with lines.configure():
        chassis.log.get("x").info("true", time="no", level="no", service="no", event="no", request_id="no")
    assert "no" not in lines.read()[0].values()


def test_secrets_credentials_and_unknown_objects_are_not_shown_T28(lines: Lines) -> None:
    with lines.configure():
        chassis.log.get("x").info(
            "e",
            secret=Secret(SENSITIVE),
            inside=[{"key": Secret(SENSITIVE)}],
            token="got Atzr|IwEBIAbc today",
            buyer=Buyer(),
            data=SENSITIVE.encode(),
        )
    (line,) = lines.read()
    assert SENSITIVE not in lines.text
    assert line["secret"] == HIDDEN
    assert line["inside"] == [{"key": HIDDEN}]
    assert line["token"] == f"got {HIDDEN} today"
    assert (line["buyer"], line["data"]) == ("<Buyer>", "<bytes>")


def test_a_key_of_a_mapping_is_shown_no_further_than_a_value_T28() -> None:
    keys = (Buyer(), SENSITIVE.encode(), "Atza|abc", (SENSITIVE, 1), 7)
    shown = dict.fromkeys(("<Buyer>", "<bytes>", HIDDEN, "<tuple>", "7"), 1)
    assert chassis.log.shown(dict.fromkeys(keys, 1)) == shown


def test_an_exception_is_told_by_type_code_and_places_and_never_by_message_T28(lines: Lines) -> None:
    with lines.configure():
        chassis.log.get("x").error("e", error=caught())
    told = lines.read()[0]["error"]
    assert (told["type"], told["code"], told["text"]) == ("NotFound", "not_found", "There is no such thing.")
    assert told["frames"][-1].endswith("refuse")
    assert told["cause"]["type"] == "ValueError"
    assert "Jane" not in lines.text


def test_an_exception_tells_what_was_being_handled_unless_that_was_put_aside() -> None:
    def told(*, is_put_aside: bool) -> object:
        error = KeyError()
        error.__context__ = ValueError()
        error.__suppress_context__ = is_put_aside
        return chassis.log.shown(error)

    frames: list[str] = []
    cause = {"type": "ValueError", "frames": frames}
    assert told(is_put_aside=False) == {"type": "KeyError", "frames": frames, "cause": cause}
    assert told(is_put_aside=True) == {"type": "KeyError", "frames": frames}


def test_a_group_of_exceptions_tells_its_members(lines: Lines) -> None:
    with lines.configure():
        chassis.log.get("x").error("e", error=ExceptionGroup(SENSITIVE, [OSError(28, SENSITIVE), caught()]))
    told = lines.read()[0]["error"]
    assert [member["type"] for member in told["members"]] == ["OSError", "NotFound"]
    assert told["members"][0]["errno"] == 28
    assert "Jane" not in lines.text


def test_a_librarys_record_becomes_json_and_keeps_its_secrets_T31(lines: Lines) -> None:
    library = logging.getLogger("some.library")
    with lines.configure("debug"):
        library.info("not interesting")
        library.warning(
            "cannot reach %s: %s", "https://x/?t=Atza|abc", ValueError(SENSITIVE), exc_info=caught()
        )
    (line,) = lines.read()
    assert (line["logger"], line["event"], line["level"]) == (
        "some.library",
        "cannot reach %s: %s",
        "warning",
    )
    assert line["args"] == [f"https://x/?t={HIDDEN}", {"type": "ValueError", "frames": []}]
    assert line["error"]["type"] == "NotFound"
    assert "Jane" not in lines.text


def test_lines_below_the_level_are_not_written(lines: Lines) -> None:
    with lines.configure("warning"):
        logger = chassis.log.get("x")
        logger.debug("a")
        logger.info("b")
        logger.warning("c")
        logger.at("error", "d")
    assert [line["event"] for line in lines.read()] == ["c", "d"]


def test_libraries_keep_to_a_level_above_warning_too(lines: Lines) -> None:
    with lines.configure("error"):
        logging.getLogger("some.library").warning("a")
        logging.getLogger("some.library").error("b")
    assert [line["event"] for line in lines.read()] == ["b"]


def test_text_from_upstream_cannot_forge_a_line_T30(lines: Lines) -> None:
    with lines.configure():
        chassis.log.get("x").info("e", text='a\r\n{"event":"forged"}\x1b[2J\u2028')
    assert len(lines.read()) == 1
    assert lines.text.isascii()
    assert lines.text.count("\n") == 1


def test_known_types_are_shown_as_json(lines: Lines) -> None:
    colour = enum.Enum("colour", ["RED"])
    with lines.configure():
        chassis.log.get("x").info(
            "e",
            flag=True,
            ratio=0.5,
            odd=float("nan"),
            huge=10**30,
            at=datetime(2026, 1, 2, tzinfo=UTC),
            colour=colour["RED"],
            none=None,
            pairs={1: (1, 2)},
        )
    line = lines.read()[0]
    assert [line[name] for name in ("flag", "ratio", "odd", "huge", "at", "colour", "none", "pairs")] == [
        True,
        0.5,
        "nan",
        "<int>",
        "2026-01-02T00:00:00+00:00",
        "red",
        None,
        {"1": [1, 2]},
    ]


nested: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(object),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=30,
)


@given(nested)
def test_any_value_can_be_shown(value: object) -> None:
    assert json.dumps(chassis.log.shown(value), allow_nan=False)


credentials = st.sampled_from(
    ["Atza|IwEBIAbc", "\nsp_at_0123456789", "amzn1.oa2-cs.v1.x", "\tATZR%7Cabc", "null"]
)
short_values = st.one_of(
    st.text(st.characters(), max_size=20),
    credentials,
    st.builds("{}{}{}".format, st.text(max_size=3), credentials, st.text(max_size=3)),
    st.just("x" * 2 * chassis.log.TEXT_CHARS_MAX),
    st.integers() | st.sampled_from([2**53, 2**63, 2**63 + 1, -(2**63) - 1, 2**64]),
    st.floats() | st.booleans() | st.none(),
    st.builds(Secret, st.text()) | st.sampled_from(Level) | st.builds(Buyer) | st.builds(list),
)


@given(st.lists(short_values, max_size=3))
def test_a_line_that_is_written_in_one_go_shows_of_each_value_what_may_be_shown_T28(
    values: list[object],
) -> None:
    lines, fields = Lines(), {f"field_{number}": value for number, value in enumerate(values)}
    with lines.configure():
        chassis.log.get("x").info("e", **fields)
    (line,) = lines.read()
    assert lines.text.isascii()
    assert {name: line[name] for name in fields} == {
        name: chassis.log.shown(value) for name, value in fields.items()
    }


def test_what_is_shown_of_a_value_is_bounded_R23() -> None:
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    shown = json.dumps(
        chassis.log.shown([deep, "x" * 10**6, list(range(10**5)), dict.fromkeys(range(10**5), 1)])
    )
    assert len(shown) < 5000


@pytest.mark.parametrize(
    ("wrap", "times"), [(lambda error: ExceptionGroup("many", [error] * 9), 8), (caused, 500)]
)
def test_what_is_shown_of_an_exception_is_bounded_R23(
    wrap: Callable[[Exception], Exception], times: int
) -> None:
    error = Exception()
    for _ in range(times):
        error = wrap(error)
    assert len(json.dumps(chassis.log.shown(error))) < 20_000


class StuckStream(io.StringIO):
    """A reader who stops reading until told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.may_write = threading.Semaphore(0)
        self.is_reached = threading.Semaphore(0)

    def write(self, text: str) -> int:
        self.is_reached.release()
        self.may_write.acquire()
        return super().write(text)


def test_a_reader_who_stops_costs_counted_lines_and_holds_up_nobody_R24() -> None:
    stream = StuckStream()
    spool = chassis.log.Spool(stream, lines_max=3)
    spool.put("line 0")
    for numbers in (range(1, 10), range(10, 15)):
        stream.is_reached.acquire()
        for number in numbers:
            spool.put(f"line {number}")
        stream.may_write.release()
    assert spool.dropped == 6 + 2
    stream.may_write.release()
    spool.close()
    assert stream.getvalue().splitlines() == [
        "line 0",
        *(f"line {number}" for number in (1, 2, 3)),
        '{"event":"log_lines_dropped","count":6}',
        *(f"line {number}" for number in (10, 11, 12)),
        '{"event":"log_lines_dropped","count":2}',
    ]


class BrokenStream(io.StringIO):
    """A pipe whose other end is gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_reader_who_is_gone_breaks_nothing_R24() -> None:
    spool = chassis.log.Spool(BrokenStream(), lines_max=3)
    spool.put("line")
    spool.close()
    for _ in range(4):
        spool.put("line")
    assert spool.dropped == 1


def test_where_nobody_configures_lines_go_loggings_own_way(
    lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    with lines.configure():
        chassis.log.get("x").warning("inside")
    chassis.log.get("x").warning("outside", count=1)
    assert [record.message for record in caplog.records] == ["outside"]
    assert [line["event"] for line in lines.read()] == ["inside"]
