"""The look at the end: everything durable against what was promised, past every service."""

import base64
from datetime import datetime

import chassis.crypto.seal
import chassis.crypto.sign
import chassis.errors
from chassis.secrecy import Secret
from sallyport.audit.verify import verify
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.people import Console, insist
from sallyport.simulate.watching import CLOCK
from sallyport.simulate.world import World
from services.retention.model.erasures import Stage, Subject
from services.retention.model.orders import begins_at
from services.retention.model.records import DataKey, Record


async def inspect(world: World, console: Console) -> None:
    """Check all that can only be said at the end of a run."""
    await _look_at_log(world, console)
    _look_at_consents(world)
    _look_at_copies(world)
    _look_at_receipts(world)


async def _look_at_log(world: World, console: Console) -> None:
    for event_id in world.watcher.acknowledged:
        world.tally.check(
            Invariant.EVENTS_KEPT, world.watcher.book.holds(event_id), f"event {event_id} is not in the log"
        )
    lines = await insist(world, console.export)
    report = verify(lines, await world.engines.checkpoint_key.public_pem())
    world.tally.check(Invariant.LOG_VERIFIES, report.is_intact, f"{report.fault}")


def _look_at_consents(world: World) -> None:
    consents = world.engines.auth_tables.consents.values()
    for seller_id in sorted({consent.seller_id for consent in consents}):
        active = [each for each in consents if each.seller_id == seller_id and each.ended_at is None]
        evidence = f"{seller_id} has {len(active)} active consents"
        world.tally.check(Invariant.NO_FALSE_REVOCATION, len(active) == 1, evidence)


def _look_at_copies(world: World) -> None:
    """Try every copy ever stored with the keys that live now, as somebody would who has stolen everything."""
    now, erased = world.clock.now(), world.watcher.erased
    for number, (record, data_key) in enumerate(world.watcher.copies):
        is_erased = number < erased.get(record.name.seller_id, 0)
        if is_erased or _dies_at(world, record) < now:
            evidence = f"{record.name.field_set} of {record.name.order_id} from {record.fetched_at} opens"
            world.tally.check(Invariant.UNREADABLE, not _opens(world, record, data_key), evidence)


def _dies_at(world: World, record: Record) -> datetime:
    """Return when a copy must be unreadable, by what is true and not by what the record says."""
    shipped_at = world.orders[record.name.order_id].shipped_at
    return (record.fetched_at if shipped_at is None else shipped_at) + CLOCK


def _opens(world: World, record: Record, data_key: DataKey) -> bool:
    keys = world.engines.retention_keys.living
    day_key = keys.get(Subject.of_day(data_key.erase_day))
    seller_key = keys.get(Subject.of_seller(data_key.seller_id))
    if day_key is None or seller_key is None:
        return False
    seal = chassis.crypto.seal
    place = seal.associated(**data_key.place)
    try:
        inner = seal.open_(day_key, base64.b64decode(data_key.wrapped), place)
        key = seal.open_(seller_key, base64.b64decode(inner), place)
        seal.open_(Secret(key), record.sealed, seal.associated(**record.place))
    except chassis.errors.SallyportError:
        return False
    return True


def _look_at_receipts(world: World) -> None:
    """See that every day that has begun is erased, with a receipt for each erasure."""
    tables = world.engines.retention_tables
    for text in sorted(tables.subjects):
        subject = Subject.parse(text)
        erasure = tables.last_erasure(subject)
        if erasure is None:
            is_open = subject.day is None or begins_at(subject.day) > world.clock.now()
            world.tally.check(Invariant.ERASURE_PROVEN, is_open, f"{text} is due and not erased")
            continue
        receipt = tables.receipts.get(erasure.erasure_id)
        is_signed = receipt is not None and chassis.crypto.sign.verify(
            receipt.public_key_pem, receipt.statement, receipt.signature
        )
        evidence = f"{text} is {erasure.stage}, receipt signed: {is_signed}"
        is_proven = is_signed and erasure.stage is Stage.REPORTED
        world.tally.check(Invariant.ERASURE_PROVEN, is_proven, evidence)
