"""The verifier against logs by the writer it shares no code with, and against every way to spoil them."""

import asyncio
import functools
import hashlib
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chassis.crypto.sign
from fakes.entropy import FakeEntropy
from sallyport.audit.verify import Fault, Reason, key_fingerprint, verify
from tests.unit.telemetry.house import House, fact, intent, outcome

OTHER_KEY = chassis.crypto.sign.Signer.generate(FakeEntropy(99)).public_pem


@functools.cache
def export() -> tuple[tuple[bytes, ...], str]:
    """Return the lines of a small log with two exports behind it, and its key."""

    async def make() -> tuple[tuple[bytes, ...], str]:
        async with House().open() as house:
            await house.intake.append("gateway", [fact(1), intent(2), fact(3)])
            await house.checkpoints.sign_if_due()
            await house.intake.append("gateway", [outcome(4, of=2), intent(5)])
            await house.export()
            await house.checkpoints.sign_if_due()
            await house.intake.append(
                "auth", [fact(6, kind="auth.device.revoked", details={"note": "ü → 🙂"})]
            )
            return tuple(await house.export()), await house.key.public_pem()

    return asyncio.run(make())


def fault_of(lines: list[bytes]) -> Fault:
    report = verify(lines, export()[1])
    assert report.fault is not None
    assert not report.is_intact
    return report.fault


def test_an_untouched_log_is_intact() -> None:
    lines, pem = export()
    report = verify(lines, pem)
    assert report.fault is None
    assert report.is_intact
    assert report.records + report.checkpoints + 1 == len(lines)
    assert report.last_checkpoint is not None
    assert report.last_checkpoint.sequence == report.last_sequence
    assert report.key == key_fingerprint(pem)
    assert report.intents_open == 2  # number 5 and the last export


@settings(max_examples=600)
@given(st.data())
def test_any_changed_byte_is_found_at_its_line_T22(data: st.DataObject) -> None:
    lines = list(export()[0])
    line = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[line]) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(lines[line][place] != byte)
    lines[line] = lines[line][:place] + bytes([byte]) + lines[line][place + 1 :]
    spoilt = b"".join(lines).splitlines(keepends=True) if byte == 0x0A else _as_read(lines)
    assert fault_of(spoilt).line == line + 1


@given(st.data())
def test_any_missing_line_is_found_T22(data: st.DataObject) -> None:
    lines = list(export()[0])
    line = data.draw(st.integers(0, len(lines) - 1))
    removed = lines.pop(line)
    fault = fault_of(lines)
    if line == len(lines):
        assert (fault.reason, fault.line) == (Reason.MISSING_TAIL, line)
    else:
        assert fault.line == _shows_at(lines, line, removed)
        assert fault.reason in {Reason.GAP, Reason.MALFORMED_LINE}


@given(st.data())
def test_any_two_swapped_lines_are_found_T22(data: st.DataObject) -> None:
    lines = list(export()[0])
    first = data.draw(st.integers(0, len(lines) - 2))
    second = data.draw(st.integers(first + 1, len(lines) - 1))
    lines[first], lines[second] = lines[second], lines[first]
    fault = fault_of(lines)
    assert first + 1 <= fault.line <= _shows_at(lines, first, lines[second])


@given(st.data())
def test_any_repeated_line_is_found_where_it_is_repeated_T22(data: st.DataObject) -> None:
    lines = list(export()[0])
    line = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(line + 1, len(lines)))
    lines.insert(place, lines[line])
    assert fault_of(lines).line == place + 1


@given(st.data())
def test_a_cut_log_is_found_unless_it_is_what_an_earlier_export_was_T22(data: st.DataObject) -> None:
    lines, pem = export()
    size = data.draw(st.integers(0, sum(map(len, lines)) - 1))
    cut = b"".join(lines)[:size].splitlines(keepends=True)
    report = verify(cut, pem)
    if cut and cut[-1].endswith(b"\n") and b'"reason":"export"' in cut[-1]:
        assert report.is_intact
        assert not verify(cut, pem, at_least=report.last_sequence + 1).is_intact
    else:
        assert report.fault is not None
        assert report.fault.reason in {Reason.MISSING_TAIL, Reason.MALFORMED_LINE}


def test_records_after_the_last_checkpoint_are_named_T22() -> None:
    lines = list(export()[0])[:-1]
    fault = fault_of(lines)
    last = json.loads(lines[-1])["record"]["sequence"]
    covered = max(json.loads(line)["checkpoint"]["sequence"] for line in lines if b'"checkpoint"' in line)
    assert (fault.reason, fault.sequence) == (Reason.MISSING_TAIL, covered + 1)
    assert fault.sequence <= last


def test_a_log_rewritten_with_good_hashes_fails_at_its_checkpoint_T22() -> None:
    rewritten = _rechained([line.replace(b"seller-1", b"seller-2") for line in export()[0]])
    fault = fault_of(rewritten)
    first_checkpoint = next(n for n, line in enumerate(rewritten, 1) if line.startswith(b'{"checkpoint"'))
    assert (fault.reason, fault.line) == (Reason.BROKEN_HASH, first_checkpoint)


def test_a_log_signed_by_another_key_is_refused_T22() -> None:
    report = verify(export()[0], OTHER_KEY)
    assert report.fault is not None
    assert (report.fault.reason, report.fault.line) == (Reason.WRONG_KEY, 1)


def test_naming_the_auditors_key_does_not_replace_its_signature_T22() -> None:
    ours, theirs = key_fingerprint(OTHER_KEY).encode(), key_fingerprint(export()[1]).encode()
    report = verify(_rechained([line.replace(theirs, ours) for line in export()[0]]), OTHER_KEY)
    assert report.fault is not None
    assert report.fault.reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda record: record.update(event_id=_event_ids()[0]), Reason.DUPLICATE_ID),
        (lambda record: record.update(intent_id=_event_ids()[0]), Reason.OUTCOME_WITHOUT_INTENT),
        (lambda record: record.update(sender="auth", kind="auth.a.b"), Reason.OUTCOME_WITHOUT_INTENT),
        (lambda record: record.update(result="perhaps"), Reason.MALFORMED_LINE),
        (lambda record: record.update(kind="auth.a.b"), Reason.MALFORMED_LINE),
        (lambda record: record.update(actor={"id": "x"}), Reason.MALFORMED_LINE),
        (lambda record: record.update(details={"n": 1}), Reason.MALFORMED_LINE),
        (lambda record: record.update(phase="intent"), Reason.MALFORMED_LINE),
        (lambda record: record.update(sequence="6"), Reason.MALFORMED_LINE),
        (lambda record: record.update(sequence=True), Reason.MALFORMED_LINE),
        (lambda record: record.update(extra="x"), Reason.MALFORMED_LINE),
        (lambda record: record.pop("recorded_at"), Reason.MALFORMED_LINE),
        (lambda record: record.update(shard="other"), Reason.BROKEN_HASH),
    ],
)
def test_a_record_against_the_rules_is_refused_even_with_a_good_hash(spoil: object, reason: Reason) -> None:
    lines = list(export()[0])
    at = next(n for n, line in enumerate(lines) if b'"phase":"outcome"' in line and b"gateway" in line)
    record = json.loads(lines[at])["record"]
    assert callable(spoil)
    spoil(record)
    lines[at] = _line(record)
    fault = fault_of(_rechained(lines))
    assert (fault.reason, fault.line) == (reason, at + 1)


def test_a_second_final_outcome_is_refused() -> None:
    lines = list(export()[0])
    at = next(n for n, line in enumerate(lines) if b'"phase":"outcome"' in line and b"gateway" in line)
    record = json.loads(lines[at])["record"]
    record.update(event_id="ffffffff-0000-7000-8000-000000000000", sequence=record["sequence"] + 1)
    lines.insert(at + 1, _line(record))
    fault = fault_of(_rechained(lines))
    assert (fault.reason, fault.line) == (Reason.OUTCOME_AFTER_FINAL, at + 2)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"not json\n",
        b'{"header":{}}\n',
        b'{"hash":"' + b"0" * 64 + b'","record":{"a":' + b"[" * 20_000 + b"}}\n",
        b'{"hash":"' + b"0" * 64 + b'","record":{"a":"' + b"x" * 40_000 + b'"}}\n',
        b'{"hash":"' + b"0" * 64 + b'","record":{"a":"\\ud800"}}\n',
        b'{"hash":"' + b"0" * 64 + b'","record":{"a":"\xff"}}\n',
        b'{"hash":"' + b"0" * 64 + b'","record":{"a":1e999}}\n',
        b'{"hash":"' + b"0" * 64 + b'","record":{"a":' + b"9" * 5_000 + b"}}\n",
    ],
)
def test_garbage_is_a_malformed_line_T10(line: bytes) -> None:
    lines = [export()[0][0], line, *export()[0][1:]]
    assert fault_of(lines) == Fault(2, 1, Reason.MALFORMED_LINE, fault_of(lines).text)


def test_an_empty_file_has_no_tail() -> None:
    assert fault_of([]).reason is Reason.MISSING_TAIL


def test_a_file_that_starts_late_is_refused_unless_asked_for_T22() -> None:
    async def make() -> tuple[list[bytes], str]:
        async with House().open() as house:
            await house.intake.append("gateway", [fact(number) for number in range(1, 9)])
            return await house.export(5), await house.key.public_pem()

    lines, pem = asyncio.run(make())
    refused = verify(lines, pem).fault
    assert refused is not None
    assert (refused.reason, refused.line) == (Reason.GAP, 1)
    assert verify(lines, pem, from_sequence=5).is_intact
    lines[0] = lines[0].replace(b'"previous_hash":"', b'"previous_hash":"0', 1)[:-5] + b'"}}\n'
    assert not verify(lines, pem, from_sequence=5).is_intact


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "garbage",
        "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----",
        OTHER_KEY.replace("MCow", "MCox"),
    ],
)
def test_a_key_that_is_none_is_an_error_of_the_caller(pem: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        verify(export()[0], pem)


def _shows_at(lines: list[bytes], line: int, absent: bytes) -> int:
    """Return where it shows that `absent` is not at index `line`: a checkpoint is missed by the next one."""
    if not absent.startswith(b'{"checkpoint"'):
        return line + 1
    return next(n for n, kept in enumerate(lines, 1) if n > line and kept.startswith(b'{"checkpoint"'))


def _as_read(lines: list[bytes]) -> list[bytes]:
    """Return the lines as a file gives them back: split at newlines and nowhere else."""
    return [line + b"\n" for line in b"".join(lines).split(b"\n") if line]


def _event_ids() -> list[str]:
    return [json.loads(line)["record"]["event_id"] for line in export()[0] if b'"record"' in line]


def _line(record: dict[str, object]) -> bytes:
    body = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return b'{"hash":"%s","record":%s}\n' % (b"0" * 64, body.encode())


def _rechained(lines: list[bytes]) -> list[bytes]:
    """Return the lines with every record's hash computed anew, as an intruder would."""
    previous, chained = bytes(32), []
    for line in lines:
        kept = line
        if line.startswith(b'{"hash"'):
            body = line[84:-2]
            previous = hashlib.sha256(previous + body).digest()
            kept = b'{"hash":"%s","record":%s}\n' % (previous.hex().encode(), body)
        chained.append(kept)
    return chained
