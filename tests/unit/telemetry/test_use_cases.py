import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

import chassis.errors
from fakes.clock import START
from sallyport.audit.verify import key_fingerprint, verify
from services.telemetry.model.admission import BATCH_EVENTS_MAX
from services.telemetry.model.errors import (
    AuditUnavailable,
    CheckpointContended,
    EventInvalid,
    IdempotencyConflict,
    KindNotOwned,
    SensitiveContent,
    SequenceBeyondHead,
)
from services.telemetry.model.events import Actor, Event, Result
from services.telemetry.service import checkpoints as checkpointing
from tests.unit.telemetry.house import House, event_id, fact, intent, outcome


async def test_events_are_durable_when_the_sender_hears_their_sequences() -> None:
    async with House().open() as house:
        assert await house.intake.append("gateway", [fact(1), fact(2)]) == (1, 2)
        assert house.signals.events_appended == 2
    assert [each.entry.sender for each in house.store.entries()] == ["gateway", "gateway"]


@pytest.mark.parametrize("size", [0, BATCH_EVENTS_MAX + 1])
async def test_a_call_holds_one_to_a_thousand_events(size: int) -> None:
    async with House().open() as house:
        with pytest.raises(EventInvalid):
            await house.intake.append("gateway", [fact(number) for number in range(size)])
    assert house.kinds() == []


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (fact(9, details={"note": "Atzr|IwEBI"}), SensitiveContent),
        (fact(9, kind="auth.device.revoked"), KindNotOwned),
        (fact(1, result="other"), IdempotencyConflict),
    ],
    ids=["T14-sensitive", "T35-foreign-kind", "T35-conflict"],
)
async def test_a_dangerous_call_is_refused_whole_counted_and_on_record(
    event: Event, refusal: type[chassis.errors.SallyportError]
) -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [fact(1)])
        with pytest.raises(refusal):
            await house.intake.append("gateway", [fact(2, request_id="req-2"), event])
    kept = [each.entry.event for each in house.store.entries()]
    assert [each.kind for each in kept] == ["gateway.operation.refused", "telemetry.append.refused"]
    assert (kept[1].result, kept[1].details) == (refusal.code, {"refused": "gateway"})
    assert house.signals.codes_refused == [("gateway", refusal.code)]
    assert house.signals.requests_refused == [["req-2", "req-1"]]


async def test_while_the_store_is_down_appending_says_so_and_nothing_is_kept_R02() -> None:
    async with House().open() as house:
        house.store.is_down = True
        with pytest.raises(AuditUnavailable):
            await house.intake.append("gateway", [fact(1)])
    assert house.store.entries() == []
    assert house.signals.codes_refused == [("gateway", "audit_unavailable")]


async def test_the_first_checkpoint_of_a_process_puts_its_key_on_record_T23() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [fact(1)])
        await house.checkpoints.sign_if_due()
        await house.checkpoints.sign_if_due()
        pem = await house.key.public_pem()
    assert house.kinds()[1:] == ["telemetry.key.loaded"]
    assert house.store.entries()[1].entry.event.details == {"key": key_fingerprint(pem)}


async def test_while_the_key_service_is_down_nothing_is_signed_and_events_are_taken_R06() -> None:
    async with House().open() as house:
        house.key.error = chassis.errors.Unavailable()
        await house.intake.append("gateway", [fact(1)])
        with pytest.raises(chassis.errors.Unavailable):
            await house.checkpoints.sign_if_due()
        house.key.error = None
        await house.checkpoints.sign_if_due()
        assert (await house.store.tip()).checkpoint_number == 1


async def test_without_new_records_no_checkpoint_is_signed() -> None:
    async with House().open() as house:
        for _ in range(3):
            await house.checkpoints.sign_if_due()
        assert (await house.store.tip()).checkpoint_number == 1
        await house.intake.append("gateway", [fact(1)])
        for _ in range(3):
            await house.checkpoints.sign_if_due()
        tip = await house.store.tip()
    assert (tip.checkpoint_number, tip.checkpoint_sequence, tip.head.sequence) == (2, 2, 2)


async def test_two_replicas_never_sign_the_same_number_T22() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [fact(1)])
        await asyncio.gather(*(house.checkpoints.sign_for_export() for _ in range(4)))
        kept = await house.store.checkpoints(1, 100, (1, 100))
    assert [checkpoint.number for checkpoint in kept] == [1, 2, 3, 4]


async def test_signing_gives_up_when_others_are_always_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpointing, "TRIES_MAX", 0)
    async with House().open() as house:
        with pytest.raises(CheckpointContended):
            await house.checkpoints.sign_for_export()


async def test_an_export_holds_everything_and_its_own_intent_and_verifies_T22() -> None:
    async with House().open() as house:
        for number in range(1, 400):
            await house.intake.append("gateway", [fact(number)])
            if number % 100 == 0:
                await house.checkpoints.sign_if_due()
        lines = await house.export()
        report = verify(lines, await house.key.public_pem())
    assert report.fault is None
    assert report.records == 399 + 1 + 1  # events, the key's loading, the export's intent
    assert report.checkpoints == 4
    assert json.loads(lines[-2])["record"]["kind"] == "telemetry.log.exported"
    assert json.loads(lines[-1])["checkpoint"]["reason"] == "export"
    assert house.store.entries()[-1].entry.event.result == Result.DONE


async def test_an_export_from_a_cursor_starts_there_and_verifies_from_there() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [intent(1), fact(2), fact(3), outcome(4, of=1)])
        await house.checkpoints.sign_if_due()
        lines = await house.export(3)
        pem = await house.key.public_pem()
    report = verify(lines, pem, from_sequence=3)
    assert report.fault is None
    assert report.outcomes_of_earlier == 1
    assert not verify(lines, pem).is_intact


async def test_an_export_from_the_end_on_holds_its_own_intent_alone() -> None:
    async with House().open() as house:
        await house.export()
        next_sequence = (await house.store.tip()).head.sequence + 1
        report = verify(
            await house.export(next_sequence), await house.key.public_pem(), from_sequence=next_sequence
        )
    assert (report.fault, report.records) == (None, 1)


async def test_an_export_beyond_the_end_is_refused_and_the_refusal_is_on_record() -> None:
    async with House().open() as house:
        with pytest.raises(SequenceBeyondHead):
            await house.export(100)
    last = house.store.entries()[-1].entry.event
    assert (last.kind, last.result) == ("telemetry.log.exported", "not_done")


async def test_nothing_is_exported_when_the_export_cannot_be_audited_R02() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [fact(1)])
        house.store.is_down = True
        lines: list[bytes] = []
        with pytest.raises(AuditUnavailable):
            lines += await house.export()
    assert lines == []


async def test_an_intent_without_outcome_is_resolved_as_unknown_once_R01() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [intent(1), intent(2), outcome(3, of=2)])
        house.clock.pass_(49)
        await house.orphans.resolve()
        assert len(house.store.entries()) == 3
        house.clock.pass_(1)
        await house.orphans.resolve()
        await house.orphans.resolve()
    resolved = house.store.entries()[3:]
    assert [each.entry.event.intent_id for each in resolved] == [event_id(1)]
    event = resolved[0].entry.event
    assert (event.result, event.actor) == (Result.UNKNOWN, Actor("service", "telemetry"))
    assert event.occurred_at == START + timedelta(seconds=50)
    assert resolved[0].entry.sender == "telemetry"
    assert house.signals.resolved == 1


async def test_the_real_outcome_is_still_accepted_after_unknown_R01() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [intent(1)])
        house.clock.pass_(60)
        await house.orphans.resolve()
        assert await house.intake.append("gateway", [outcome(2, of=1, result=Result.DONE)]) == (3,)
        house.clock.pass_(600)
        await house.orphans.resolve()
        report = verify(await house.export(), await house.key.public_pem())
    assert report.fault is None
    assert report.intents_open == 1  # the export's own


async def test_a_restart_between_resolving_and_marking_changes_nothing_R12() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [intent(1)])
        house.clock.pass_(60)
        await house.orphans.resolve()
        house.store._resolved_to = 0
        house.clock.pass_(60)
        await house.orphans.resolve()
    assert len(house.store.entries()) == 2


async def test_a_sender_that_speaks_while_we_look_wins_R01() -> None:
    async with House().open() as house:
        await house.intake.append("gateway", [intent(1), intent(2)])
        page = await house.store.intents()
        await house.intake.append("gateway", [outcome(3, of=1)])
        house.clock.pass_(60)
        stale = iter([page])

        async def intents() -> object:
            return next(stale, [])

        house.store.intents = intents  # type: ignore[method-assign, assignment]
        await house.orphans.resolve()
    assert [each.entry.event.intent_id for each in house.store.entries()[3:]] == [event_id(2)]


async def test_intents_of_a_moment_when_a_clock_was_wrong_hold_up_none_behind_them_R01_R14() -> None:
    async with House().open() as house:
        house.clock.set_now(START + timedelta(hours=1))
        await house.intake.append("gateway", [intent(1), intent(2)])
        await house.intake.append("gateway", [outcome(3, of=2)])
        house.clock.set_now(START)
        await house.intake.append("gateway", [intent(4)])
        house.clock.pass_(50)
        await house.orphans.resolve()
    resolved = house.store.entries()[4:]
    assert [each.entry.event.intent_id for each in resolved] == [event_id(1), event_id(4)]


async def test_a_replica_whose_clock_is_behind_concludes_nobodys_intent_early_R14() -> None:
    async with House().open() as house:
        house.clock.set_now(START + timedelta(minutes=10))
        await house.intake.append("gateway", [intent(1)])
        house.clock.set_now(START)
        await house.orphans.resolve()
    assert len(house.store.entries()) == 1


async def test_thousands_of_orphans_are_resolved_in_one_round() -> None:
    async with House().open() as house:
        for start in range(0, 450, 50):
            await house.intake.append("gateway", [intent(number) for number in range(start, start + 50)])
        house.clock.pass_(60)
        await house.orphans.resolve()
    assert house.signals.resolved == 450


async def test_a_process_is_well_once_its_start_is_on_record_T23() -> None:
    async with House().open() as house:
        house.store.is_down = True
        assert not await house.health.check()
        house.store.is_down = False
        assert await house.health.check()
        assert await house.health.check()
    assert house.kinds() == ["telemetry.service.started"]


async def test_health_tells_an_outage_and_leaves_a_record_of_its_end_R02() -> None:
    async with House().open() as house:
        assert await house.health.check()
        house.store.is_down = True
        failed_at = house.clock.now()
        assert not await house.health.check()
        house.clock.pass_(5)
        assert not await house.health.check()
        house.store.is_down = False
        assert await house.health.check()
    last = house.store.entries()[-1].entry.event
    assert last.kind == "telemetry.store.recovered"
    assert last.details == {"failed_at": failed_at.isoformat(timespec="microseconds").replace("+00:00", "Z")}


async def test_a_failed_commit_alone_makes_it_unwell_R13() -> None:
    async with House().open() as house:
        assert await house.health.check()
        house.store.is_down = True
        with pytest.raises(AuditUnavailable):
            await house.intake.append("gateway", [fact(1)])
        house.store.is_down = False
        assert not await house.health.check()
        assert await house.health.check()
    assert house.kinds() == ["telemetry.service.started", "telemetry.store.recovered"]


async def test_a_store_that_became_read_only_makes_it_unwell_R05() -> None:
    async with House().open() as house:
        assert await house.health.check()

        async def is_writable() -> bool:
            return False

        house.store.is_writable = is_writable  # type: ignore[method-assign]
        assert not await house.health.check()


async def test_what_was_recorded_late_keeps_the_senders_time_R14() -> None:
    async with House().open() as house:
        event = replace(fact(1), occurred_at=house.clock.now() - timedelta(minutes=10))
        await house.intake.append("gateway", [event])
    body = json.loads(house.store.entries()[0].record.body)
    assert (body["occurred_at"], body["recorded_at"]) == (
        "2026-11-22T11:50:00.000000Z",
        "2026-11-22T12:00:00.000000Z",
    )
