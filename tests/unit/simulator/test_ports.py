"""What storage and clock must do, asked of the real ones on disk and of the ones in memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import chassis.clock
import simulator.journal
from simulator.clock import OFFSET_S_MAX, Dial, OffsetOutOfRange, VirtualClock
from simulator.events import Born, CodeUsed, Event, Started, TokenIssued
from simulator.journal import FileJournal, JournalRefused
from simulator.record import Call, FileShelf, Shelf
from tests.unit.simulator.rig import BORN_AT, MemoryJournal, MemoryShelf, Rig, StillDial

EVENTS: list[Event] = [Born(1, BORN_AT), Started(1), CodeUsed("d")]


def file_dial(folder: Path) -> Dial:
    return VirtualClock(folder / "clock")


def memory_dial(_: Path) -> Dial:
    return StillDial()


@pytest.mark.parametrize("make", [file_dial, memory_dial])
def test_a_turned_clock_is_ahead_by_its_offset(make: Callable[[Path], Dial], tmp_path: Path) -> None:
    dial = make(tmp_path)
    before = dial.now()
    assert dial.offset_s == 0
    dial.turn(31 * 86_400)
    assert dial.offset_s == 31 * 86_400
    assert dial.now() - before >= timedelta(days=31)
    dial.turn(-60.5)
    assert dial.now() < before


def file_shelf(folder: Path) -> tuple[Shelf, Callable[[], list[Call]]]:
    shelf = FileShelf(folder / "calls.jsonl")
    return shelf, shelf.read


def memory_shelf(_: Path) -> tuple[Shelf, Callable[[], list[Call]]]:
    shelf = MemoryShelf()
    return shelf, lambda: shelf.calls


@pytest.mark.parametrize("make", [file_shelf, memory_shelf])
def test_a_shelf_keeps_calls_in_order_until_they_are_replaced(
    make: Callable[[Path], tuple[Shelf, Callable[[], list[Call]]]], tmp_path: Path
) -> None:
    shelf, read = make(tmp_path)
    rig = Rig()
    rig.get("/orders/v0/orders", CreatedAfter="x")
    (call,) = rig.shelf.calls
    calls = [replace(call, ordinal=n) for n in range(1, 6)]
    for one in calls[:3]:
        shelf.append(one)
    assert read() == calls[:3]
    shelf.replace(calls[2:4])
    shelf.append(calls[4])
    assert read() == calls[2:]


def file_journal(folder: Path) -> tuple[FileJournal, Callable[[], list[Event]]]:
    journal = FileJournal(folder / "journal.jsonl")
    return journal, journal.read


def memory_journal(_: Path) -> tuple[MemoryJournal, Callable[[], list[Event]]]:
    journal = MemoryJournal()
    return journal, lambda: journal.events


@pytest.mark.parametrize("make", [file_journal, memory_journal])
def test_a_journal_keeps_events_in_order(
    make: Callable[[Path], tuple[simulator.ledger.Journal, Callable[[], list[Event]]]], tmp_path: Path
) -> None:
    journal, read = make(tmp_path)
    journal.append(EVENTS[:2])
    journal.append(EVENTS[2:])
    assert read() == EVENTS


def test_a_journal_reopened_drops_a_torn_last_line_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = FileJournal(path)
    first.append(EVENTS)
    first.close()
    for cut in range(1, 20):
        path.write_bytes(
            path.read_bytes()[: -1 if cut == 1 else None]
            if cut == 1
            else path.read_bytes() + b'{"event":"Co'[:cut]
        )
        journal = FileJournal(path)
        kept = journal.read()
        journal.append([CodeUsed(f"d{cut}")])
        assert journal.read() == [*kept, CodeUsed(f"d{cut}")]
        journal.close()


def test_a_journal_with_a_spoilt_line_refuses_to_open(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for line in (b"{}\n", b"[1]\n", b'{"event":"Nonsense"}\n', b'{"event":"Started"}\n', b"\xff\n", b"\n"):
        path.write_bytes(line)
        journal = FileJournal(path)
        with pytest.raises(JournalRefused) as refused:
            journal.read()
        assert refused.value.code == "journal_corrupt"
        journal.close()


def test_two_simulators_cannot_share_a_state_folder(tmp_path: Path) -> None:
    first = FileJournal(tmp_path / "journal.jsonl")
    with pytest.raises(JournalRefused) as refused:
        FileJournal(tmp_path / "journal.jsonl")
    assert refused.value.code == "state_in_use"
    first.close()
    FileJournal(tmp_path / "journal.jsonl").close()


def test_tidying_keeps_what_lives_and_later_events_follow_it(tmp_path: Path) -> None:
    expired = TokenIssued("t1", "access", "app", expires_at=BORN_AT)
    living = TokenIssued("t2", "access", "app", expires_at=BORN_AT + timedelta(hours=1))
    journal = FileJournal(tmp_path / "journal.jsonl")
    journal.append([*EVENTS, expired, living])
    journal.tidy(simulator.journal.living(journal.read(), BORN_AT + timedelta(minutes=1)))
    journal.append([Started(2)])
    assert journal.read() == [*EVENTS, living, Started(2)]
    journal.close()


def test_the_services_clock_reads_what_the_simulators_clock_writes(tmp_path: Path) -> None:
    dial = VirtualClock(tmp_path / "clock")
    services = chassis.clock.ShiftedClock(tmp_path / "clock")
    for offset_s in (2_678_400.0, -1.25, 0.0):
        dial.turn(offset_s)
        shift_s = (services.now() - datetime.now(UTC)).total_seconds()
        assert abs(shift_s - offset_s) < 60
    dial.turn(OFFSET_S_MAX)
    assert chassis.clock.SHIFT_S_MAX == OFFSET_S_MAX


def test_an_offset_out_of_range_is_refused_and_a_spoilt_file_keeps_the_last_one(tmp_path: Path) -> None:
    dial = VirtualClock(tmp_path / "clock")
    dial.turn(60.0)
    for offset_s in (float("nan"), float("inf"), OFFSET_S_MAX * 2):
        with pytest.raises(OffsetOutOfRange):
            dial.turn(offset_s)
    assert dial.offset_s == 60.0
    for text in ("soon", "nan", "1e300", ""):
        (tmp_path / "clock").write_text(text, encoding="ascii")
        assert dial.offset_s == 60.0
