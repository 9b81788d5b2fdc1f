"""The show: every attack by itself, then one attacked seller beside another who is served fairly."""

import asyncio
import itertools
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from bench.hostile.attacks import ATTACKS, EVIL, Attack
from bench.hostile.way import EFFECT, FAIR_NAME, READ, Heard, Way

ATTACKED = "attacked"
# Desktops of the seller who is served fairly, and of the one who is attacked.
CALLERS = 4
# So that what is measured is a wait for the attack, not for a full processor.
PAUSE_S = 0.002
# A desktop that is refused goes on calling ten times a second; how a flood is held off is the quota's show.
ATTACKED_PAUSE_S = 0.1
# Attacks under way at once, the slow ones aside.
SWEEP_WIDTH = 6
# A seller's burst of one operation at Amazon is 30; a new one takes over in time.
CALLS_A_SELLER = 25


@dataclass(frozen=True)
class Waits:
    """How long calls waited, in milliseconds."""

    calls: int
    p50: float
    p99: float

    @classmethod
    def of(cls, waits_s: Sequence[float]) -> Self:
        """Return what these waits come to; at least two."""
        cuts = statistics.quantiles(waits_s, n=100)
        return cls(len(waits_s), cuts[49] * 1_000, cuts[98] * 1_000)


@dataclass(frozen=True)
class Comparison:
    """The other seller's waits without and with the attack."""

    alone: Waits
    beside: Waits

    @property
    def ratio(self) -> float:
        """How many times as long the slowest hundredth waits beside an attacked seller."""
        return self.beside.p99 / self.alone.p99


@dataclass(frozen=True)
class Tally:
    """What was heard of one attack; `wrong` is heard and not documented for it, or evil."""

    attack: Attack
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What the show found.

    Attributes:
        crashes: mistakes of ours, in words.
        comparison: None when it was not made.
        resting: calls of the attacked seller that were refused while its circuit was open.
    """

    tallies: Sequence[Tally]
    crashes: Sequence[str]
    comparison: Comparison | None
    resting: int


async def sweep(
    way: Way, attacks: Iterable[Attack], calls: int, *, methods: Sequence[str] = (READ, EFFECT)
) -> list[Tally]:
    """Play each attack at reads and at effects, each by a seller of its own, some attacks at once."""
    width = asyncio.Semaphore(SWEEP_WIDTH)

    async def play(attack: Attack) -> Tally:
        if attack.is_slow:
            return await _play(way, attack, calls=1, methods=methods)
        async with width:
            return await _play(way, attack, calls=calls, methods=methods)

    return list(await asyncio.gather(*map(play, attacks)))


async def _play(way: Way, attack: Attack, *, calls: int, methods: Sequence[str]) -> Tally:
    tally = Tally(attack)
    kinds = (EFFECT,) if attack.is_early else methods
    turns = itertools.product(range(calls), kinds)
    await asyncio.gather(*(_play_once(way, tally, method=method, number=number) for number, method in turns))
    return tally


async def _play_once(way: Way, tally: Tally, *, method: str, number: int) -> None:
    attack = tally.attack
    seller_id = f"{attack.name}-{method}-{number}"
    _count(tally, await way.call(seller_id, attack.name, method, is_large=attack.is_early))
    # Nothing of the attack may be left for the next call over the same connections.
    after = await way.call(seller_id, FAIR_NAME, method)
    if after.answer.status != 200 or EVIL in after.answer.body:
        tally.wrong.append(f"the next call heard {after.answer.status}")


def _count(tally: Tally, heard: Heard) -> None:
    status = heard.answer.status
    tally.statuses[status] += 1
    if status not in tally.attack.statuses:
        tally.wrong.append(f"heard {status}")
    said = repr(heard.answer.headers).encode() + heard.answer.body
    if EVIL in said or b"<script" in said:
        tally.wrong.append("heard what it must not")


async def compare(way: Way, *, rounds: int, calls: int) -> Comparison:
    """Return what the other seller's calls waited without and with the attack, in turns.

    Other work of the machine falls on both alike. It is one seller who is attacked, at first with its circuit
    closed, and whenever a probe goes.
    """
    alone_s: list[float] = []
    beside_s: list[float] = []
    for number in range(rounds):
        alone_s += await _waits_s(way, f"alone-{number}", calls)
        attacking = [asyncio.create_task(_attack(way, number * CALLERS + each)) for each in range(CALLERS)]
        beside_s += await _waits_s(way, f"beside-{number}", calls)
        for task in attacking:
            task.cancel()
        await asyncio.gather(*attacking, return_exceptions=True)
    return Comparison(Waits.of(alone_s), Waits.of(beside_s))


async def _attack(way: Way, start: int) -> None:
    """Call one attack after another, for ever."""
    for number in itertools.count(start):
        attack = ATTACKS[number % len(ATTACKS)]
        await way.call(ATTACKED, attack.name, (READ, EFFECT)[number % 2])
        await asyncio.sleep(ATTACKED_PAUSE_S)


async def _waits_s(way: Way, group: str, calls: int) -> list[float]:
    waits_s: list[float] = []

    async def call_fairly(caller: int) -> None:
        for number in range(calls // CALLERS):
            seller_id = f"{group}-{caller}-{number // CALLS_A_SELLER}"
            heard = await way.call(seller_id, FAIR_NAME)
            if heard.answer.status != 200:
                raise RuntimeError(f"a fair call heard {heard.answer.status}")
            waits_s.append(heard.wait_s)
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*(call_fairly(caller) for caller in range(CALLERS)))
    return waits_s


async def show(way: Way, *, calls: int, rounds: int, fair_calls: int, is_quick: bool) -> Outcome:
    """Return what every attack did, and what one attacked seller cost another."""
    attacks = [attack for attack in ATTACKS if not (is_quick and attack.is_slow)]
    tallies = await sweep(way, attacks, calls)
    comparison = await compare(way, rounds=rounds, calls=fair_calls) if rounds else None
    return Outcome(
        tallies=tallies,
        crashes=[repr(error) for error in way.signals.crashes],
        comparison=comparison,
        resting=way.signals.refusals.count("upstream_resting"),
    )
