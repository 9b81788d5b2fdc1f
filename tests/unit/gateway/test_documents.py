"""Documents on their way: who may move one, what is told of it, what cuts it, and what never gets through."""

import asyncio
from dataclasses import replace

import pytest

from fakes.gateway_ports import DeviceRevoked, Down
from fakes.gateway_storage import CHUNK_BYTES, FakeFetched, FakeReceiver
from services.gateway.forward import documents as moving
from services.gateway.forward import late
from services.gateway.forward.documents import DOUBT_S_MAX, FETCHES_MAX, PAUSE_S_MAX
from services.gateway.model.allowance import REFILL_S, TOLD_MAX
from services.gateway.model.audit import AuditUnavailable
from services.gateway.model.calls import Device, Restriction
from services.gateway.model.documents import (
    DocumentClass,
    DocumentEnded,
    DocumentMissing,
    DocumentsBusy,
    DocumentTooLarge,
    DocumentUnknown,
    StorageUnavailable,
)
from services.gateway.model.faults import ScopeMissing, UpstreamLost
from tests.unit.gateway.forwarding import ORDER, PII
from tests.unit.gateway.moving import BODY, LOOK_S, URL, Moving, listening, working


@pytest.fixture
def rig() -> Moving:
    return Moving()


# --- downloads


async def test_a_document_arrives_as_it_lies_there(rig: Moving) -> None:
    rig.storage.objects[URL] = FakeFetched(BODY, "text/csv", "gzip", len(BODY))
    taken = await rig.read(rig.capability(rig.auth.enrol()))
    assert (taken.status, bytes(taken.body), taken.is_ended) == (200, BODY, True)
    shown = {name: taken.headers[name] for name in ("content-type", "content-encoding", "content-length")}
    assert list(shown.values()) == ["text/csv", "gzip", str(len(BODY))]
    assert (rig.told, rig.signals.documents) == ([], [("GET", "whole", len(BODY))])


async def test_no_browser_takes_a_document_for_a_page_of_ours_T30(rig: Moving) -> None:
    rig.storage.objects[URL] = FakeFetched(b"<script>alert(1)</script>", "text/html")
    headers = (await rig.read(rig.capability(rig.auth.enrol()))).headers
    assert headers["content-security-policy"].startswith("sandbox")
    assert (headers["content-disposition"], headers["x-content-type-options"]) == ("attachment", "nosniff")
    assert headers["cache-control"] == "no-store"


async def test_a_personal_document_is_told_of_before_and_after_R01(rig: Moving) -> None:
    await rig.read(rig.personal(rig.auth.enrol(scopes=PII)))
    assert rig.told == [("gateway.pii.read", "intent", ""), ("gateway.pii.read", "outcome", "done")]
    intent, outcome = rig.audit.events
    assert dict(intent.details) == {
        "operation": "reports_2021-06-30.getReportDocument",
        "document": "personal",
        "purpose": "unstated",
    }
    assert outcome.intent_id == intent.event_id
    assert outcome.details["bytes"] == str(len(BODY))
    assert "amazonaws" not in repr(rig.audit.events)


async def test_of_a_document_from_a_single_orders_answer_the_order_is_told_R01(rig: Moving) -> None:
    token = rig.auth.enrol(scopes=PII)
    for named, told in ((ORDER, ORDER), ("jane@example.com", "?")):
        spelled = rig.capability(token, document_class=DocumentClass.PERSONAL, order_id=named)
        await rig.read(spelled)
        assert {event.details["order_ids"] for event in rig.audit.events[-2:]} == {told}


async def test_without_the_audit_log_no_personal_byte_moves_R02(rig: Moving) -> None:
    rig.audit.fails_from = 0
    taken = FakeReceiver()
    with pytest.raises(AuditUnavailable):
        await rig.read(rig.personal(rig.auth.enrol(scopes=PII)), taken)
    assert (taken.status, rig.storage.fetches) == (0, 0)


async def test_a_scope_that_was_taken_away_is_missed_and_told(rig: Moving) -> None:
    token = rig.auth.enrol(scopes=PII)
    spelled = rig.personal(token)
    rig.auth.devices[token] = replace(rig.auth.devices[token], scopes=frozenset({"orders"}))
    with pytest.raises(ScopeMissing):
        await rig.read(spelled)
    assert rig.told == [("gateway.operation.refused", "fact", "scope_missing")]
    assert rig.storage.fetches == 0


async def test_nobody_grows_the_audit_log_by_documents_that_are_refused_T06(rig: Moving) -> None:
    token = rig.auth.enrol(scopes=PII)
    spelled = rig.personal(token)
    rig.auth.devices[token] = replace(rig.auth.devices[token], scopes=frozenset({"orders"}))
    for _ in range(TOLD_MAX + 30):
        with pytest.raises(ScopeMissing):
            await rig.read(spelled)
    assert len(rig.audit.events) == TOLD_MAX
    # Its calls are counted together with its documents.
    await rig.call(token, "/unknown")
    assert len(rig.audit.events) == TOLD_MAX
    await rig.clock.advance(REFILL_S)
    with pytest.raises(ScopeMissing):
        await rig.read(spelled)
    assert rig.audit.events[-1].details["untold"] == "31"


async def test_who_leaves_early_has_the_document_closed_and_the_outcome_told(rig: Moving) -> None:
    with pytest.raises(ConnectionError):
        await rig.read(rig.personal(rig.auth.enrol(scopes=PII)), FakeReceiver(leaves_after=CHUNK_BYTES))
    assert rig.storage.open == 0
    assert rig.told[-1] == ("gateway.pii.read", "outcome", "unknown")
    assert rig.signals.documents == [("GET", "broken", 2 * CHUNK_BYTES)]


@pytest.mark.parametrize("is_read", [True, False], ids=["a read", "a write"])
async def test_an_outcome_is_told_when_the_log_is_back_and_no_document_waits_for_it_R01(
    rig: Moving, *, is_read: bool
) -> None:
    token, rig.audit.fails_from = rig.auth.enrol(scopes=PII), 1
    await (rig.read(rig.personal(token)) if is_read else rig.write(rig.uploading(token), b"x"))
    assert [event.phase for event in rig.audit.events] == ["intent"]
    rig.audit.fails_from = None
    async with working(rig):
        await rig.clock.advance(late.PAUSE_S)
    intent, outcome = rig.audit.events
    assert (outcome.intent_id, outcome.result) == (intent.event_id, "done")
    assert not rig.signals.outcomes_lost


async def test_an_outcome_that_is_given_up_is_counted_under_its_requests_id(rig: Moving) -> None:
    rig.audit.fails_from = 1
    await rig.read(rig.personal(rig.auth.enrol(scopes=PII)))
    async with working(rig):
        await rig.clock.advance(late.PAUSE_S * late.TRIES_MAX)
    assert rig.signals.outcomes_lost == [("request-1", "audit_unavailable")]


async def test_a_refusal_that_cannot_be_told_stays_one_and_is_counted(rig: Moving) -> None:
    token = rig.auth.enrol(scopes=PII)
    spelled, rig.audit.fails_from = rig.personal(token), 0
    rig.auth.devices[token] = replace(rig.auth.devices[token], scopes=frozenset({"orders"}))
    with pytest.raises(ScopeMissing):
        await rig.read(spelled)
    assert rig.signals.side_failures == [("audit_refusal", "audit_unavailable")]


async def test_a_document_that_breaks_off_is_never_ended(rig: Moving) -> None:
    rig.storage.objects[URL] = FakeFetched(BODY, fault=UpstreamLost())
    taken = FakeReceiver()
    with pytest.raises(UpstreamLost):
        await rig.read(rig.capability(rig.auth.enrol()), taken)
    assert not taken.is_ended
    assert rig.storage.fetches == 1


async def test_a_storage_that_wants_a_pause_is_asked_again_after_one(rig: Moving) -> None:
    rig.storage.faults.extend([StorageUnavailable(), UpstreamLost()])
    reading = asyncio.create_task(rig.read(rig.capability(rig.auth.enrol())))
    await rig.clock.advance(0)
    assert rig.storage.fetches == 1
    assert (await reading).is_ended
    assert rig.storage.fetches == FETCHES_MAX
    assert rig.clock.monotonic_s() <= 3 * PAUSE_S_MAX + LOOK_S
    rig.storage.faults.extend([StorageUnavailable()] * FETCHES_MAX)
    with pytest.raises(StorageUnavailable):
        await rig.read(rig.capability(rig.auth.enrol()))


async def test_a_document_of_which_no_byte_came_was_not_read_R01(rig: Moving) -> None:
    rig.storage.objects.clear()
    with pytest.raises(DocumentMissing):
        await rig.read(rig.personal(rig.auth.enrol(scopes=PII)))
    assert rig.told[-1] == ("gateway.pii.read", "outcome", "not_done")


@pytest.mark.parametrize("length_bytes", [None, len(BODY)])
async def test_a_document_just_within_the_cap_passes_either_way(
    rig: Moving, monkeypatch: pytest.MonkeyPatch, length_bytes: int | None
) -> None:
    monkeypatch.setattr(moving, "DOCUMENT_BYTES_MAX", len(BODY))
    token = rig.auth.enrol()
    rig.storage.objects[URL] = FakeFetched(BODY, length_bytes=length_bytes)
    assert (await rig.read(rig.capability(token))).is_ended
    await rig.write(rig.uploading(token), BODY)
    assert rig.storage.stored[URL][0] == BODY


@pytest.mark.parametrize("length_bytes", [None, 5_000])
async def test_a_document_beyond_the_cap_does_not_pass_T29(
    rig: Moving, monkeypatch: pytest.MonkeyPatch, length_bytes: int | None
) -> None:
    monkeypatch.setattr(moving, "DOCUMENT_BYTES_MAX", 2_048)
    rig.storage.objects[URL] = FakeFetched(BODY, length_bytes=length_bytes)
    taken = FakeReceiver()
    with pytest.raises(DocumentTooLarge):
        await rig.read(rig.capability(rig.auth.enrol()), taken)
    assert (taken.status == 0) is (length_bytes is not None)
    assert len(taken.body) <= 2_048
    assert not taken.is_ended


async def test_an_altered_capability_and_one_for_writing_are_unknown(rig: Moving) -> None:
    token = rig.auth.enrol()
    for spelled in (rig.capability(token)[:-2], rig.uploading(token), "x"):
        with pytest.raises(DocumentUnknown):
            await rig.read(spelled)
    assert rig.storage.fetches == 0


# --- whose device stands


async def test_a_revoked_device_has_no_capabilities_T01(rig: Moving) -> None:
    token = rig.auth.enrol()
    spelled = rig.capability(token)
    rig.auth.revoke(token)
    with pytest.raises(DeviceRevoked):
        await rig.read(spelled)
    with pytest.raises(DeviceRevoked):
        await rig.write(rig.uploading(token), b"x")


async def test_a_capability_ends_with_the_access_token_behind_it(rig: Moving) -> None:
    token = rig.auth.enrol()
    rig.auth.end(token)
    with pytest.raises(DocumentEnded):
        await rig.read(rig.capability(token))


async def test_a_capability_ends_with_the_handle_behind_it(rig: Moving) -> None:
    asked = Restriction("GET", "/reports/2021-06-30/documents/amzn1.tortuga.4.na.T1")
    handle, _ = await rig.auth.restrict_access(rig.auth.enrol(), [asked], "")
    rig.auth.end(handle)
    with pytest.raises(DocumentEnded):
        await rig.read(rig.capability(handle))


async def test_without_auth_nobody_is_believed_R11(rig: Moving) -> None:
    rig.auth.is_down = True
    with pytest.raises(Down):
        await rig.read(rig.capability(rig.auth.enrol()))


async def test_a_revocation_cuts_a_document_on_its_way_T01(rig: Moving) -> None:
    token = rig.auth.enrol()
    async with listening(rig):
        taken, count = FakeReceiver(), 0

        def each() -> None:
            nonlocal count
            count += 1
            if count == 3:
                rig.auth.revoke(token)
                rig.identities._hear(rig.auth.devices[token].device_id)
            rig.clock.pass_(moving.ASK_AGAIN_S)

        rig.storage.objects[URL] = FakeFetched(BODY, each=each)
        with pytest.raises(DeviceRevoked):
            await rig.read(rig.capability(token), taken)
    assert len(taken.body) < 5 * CHUNK_BYTES
    assert rig.storage.open == 0


async def test_a_revocation_that_overtakes_auths_answer_counts_T01(rig: Moving) -> None:
    token = rig.auth.enrol()
    device_id, introspect = rig.auth.devices[token].device_id, rig.auth.introspect

    async def overtaken(access_token: str) -> Device:
        device = await introspect(access_token)
        rig.auth.revoke(token)
        rig.identities._hear(device_id)
        return device

    def each() -> None:
        rig.clock.pass_(moving.ASK_AGAIN_S)
        if rig.auth.introspect == introspect:
            rig.auth.introspect = overtaken  # type: ignore[method-assign]
            rig.identities._hear(device_id)

    async with listening(rig):
        rig.storage.objects[URL] = FakeFetched(BODY, each=each)
        with pytest.raises(DeviceRevoked):
            await rig.read(rig.capability(token))


async def test_a_revocation_that_nobody_heard_cuts_once_somebody_listens_again_T01(rig: Moving) -> None:
    token = rig.auth.enrol()
    async with listening(rig):

        def each() -> None:
            if not rig.auth.revoked:
                rig.identities._forget()
                rig.auth.revoke(token)
                rig.identities._hear(None)
            rig.clock.pass_(moving.ASK_AGAIN_S)

        rig.storage.objects[URL] = FakeFetched(BODY, each=each)
        with pytest.raises(DeviceRevoked):
            await rig.read(rig.capability(token))


@pytest.mark.parametrize("is_listening", [False, True], ids=["nothing is heard", "its device is heard of"])
async def test_while_auth_is_silent_a_document_goes_on_for_a_while_and_no_longer_T01(
    rig: Moving, *, is_listening: bool
) -> None:
    token, passed_s = rig.auth.enrol(), 0.0
    async with listening(rig):
        spelled, taken = rig.capability(token), FakeReceiver()

        def each() -> None:
            nonlocal passed_s
            if not rig.auth.is_down:
                rig.auth.is_down = True
                rig.identities._forget()
                if is_listening:
                    rig.identities._hear(rig.auth.devices[token].device_id)
            rig.clock.pass_(moving.ASK_AGAIN_S)
            passed_s += moving.ASK_AGAIN_S

        rig.storage.objects[URL] = FakeFetched(BODY * 10, each=each)
        with pytest.raises(Down):
            await rig.read(spelled, taken)
    assert DOUBT_S_MAX <= passed_s <= DOUBT_S_MAX + 3 * moving.ASK_AGAIN_S
    assert DOUBT_S_MAX + 45 <= 60


async def test_auth_is_asked_about_a_document_now_and_then_while_nothing_is_heard(rig: Moving) -> None:
    step_s, chunks = moving.ASK_AGAIN_S / 4, 40
    body = bytes(chunks * CHUNK_BYTES)
    rig.storage.objects[URL] = FakeFetched(body, each=lambda: rig.clock.pass_(step_s))
    await rig.read(rig.capability(rig.auth.enrol()))
    assert 1 < rig.auth.introspections <= 2 + chunks * step_s / moving.ASK_AGAIN_S


async def test_of_a_document_whose_device_is_heard_of_auth_is_asked_once(rig: Moving) -> None:
    token, news = rig.auth.enrol(), iter([rig.identities._hear])

    def each() -> None:
        for hear in news:
            hear(rig.auth.devices[token].device_id)
        rig.clock.pass_(moving.ASK_AGAIN_S)

    rig.storage.objects[URL] = FakeFetched(BODY, each=each)
    async with listening(rig):
        assert (await rig.read(rig.capability(token))).is_ended
    assert rig.auth.introspections == 2


async def test_auth_that_comes_back_in_time_leaves_a_document_alone(rig: Moving) -> None:
    token = rig.auth.enrol()
    async with listening(rig):
        rig.storage.objects[URL] = FakeFetched(BODY, each=lambda: rig.clock.pass_(moving.ASK_AGAIN_S))
        rig.identities._forget()
        assert (await rig.read(rig.capability(token))).is_ended


# --- how many


@pytest.mark.parametrize("bound", ["STREAMS_MAX", "STREAMS_PER_SELLER_MAX", "STREAMS_PER_DEVICE_MAX"])
async def test_documents_on_their_way_are_bounded_by_device_and_seller_and_in_all_R23_T32(
    rig: Moving, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(moving, bound, 1)
    device, sibling, stranger = rig.auth.enrol(), rig.auth.enrol(), rig.auth.enrol(seller_id="seller-2")
    gate = asyncio.Event()

    class Slow(FakeReceiver):
        async def write(self, chunk: bytes) -> None:
            await gate.wait()
            await super().write(chunk)

    sending = asyncio.create_task(rig.documents.send(rig.capability(device), "r", Slow()))
    await rig.clock.advance(0)
    served = []
    for token in (device, sibling, stranger):
        try:
            served.append((await rig.read(rig.capability(token))).is_ended)
        except DocumentsBusy:
            served.append(False)
    expected = {"STREAMS_MAX": 0, "STREAMS_PER_SELLER_MAX": 1, "STREAMS_PER_DEVICE_MAX": 2}
    assert served == [False] * (3 - expected[bound]) + [True] * expected[bound]
    gate.set()
    await sending
    assert (await rig.read(rig.capability(device))).is_ended
    assert not rig.documents._held
