"""Following the policy file: what is in force, what is told, and what a broken file changes (nothing)."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.gateway_ports import FakeAuditLog
from services.gateway.model.audit import AuditUnavailable
from services.gateway.model.policy_file import POLICY_BYTES_MAX, PolicyInvalid, parse
from services.gateway.policies import LOOKS_MAX, PolicyFile, PolicyUnreadable
from services.gateway.service import PolicyKeeper

OPEN = b'version = 1\n[[allow]]\noperations = ["*"]\n'
NARROW = b'version = 1\n[[allow]]\noperations = ["ordersV0.*"]\n'
BROKEN = b"version = 1\n"
CHANGED, REFUSED = "gateway.policy.changed", "gateway.policy.refused"


class Source:
    """A file in memory; None: it cannot be read."""

    def __init__(self) -> None:
        self.raw: bytes | None = OPEN

    async def read(self) -> bytes:
        if self.raw is None:
            raise PolicyUnreadable
        return self.raw


class Shown:
    """What the log and the metrics would say."""

    def __init__(self) -> None:
        self.followed: list[str] = []
        self.refused: list[tuple[str, list[str]]] = []

    def policy_followed(self, digest: str) -> None:
        self.followed.append(digest)

    def policy_refused(self, code: str, problems: Sequence[str]) -> None:
        self.refused.append((code, list(problems)))


class Office:
    """A keeper and all that it touches."""

    def __init__(self) -> None:
        self.source, self.audit, self.shown = Source(), FakeAuditLog(), Shown()
        self.keeper = PolicyKeeper(
            source=self.source,
            audit=self.audit,
            signals=self.shown,
            clock=FakeClock(),
            entropy=FakeEntropy(),
        )

    @property
    def digest(self) -> str:
        return self.keeper.rules.policy.digest

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.kind, event.details["digest"]) for event in self.audit.events]


@pytest.fixture
async def office() -> Office:
    made = Office()
    await made.keeper.begin()
    await made.keeper.follow()
    return made


async def test_the_file_at_start_is_in_force_and_told_once(office: Office) -> None:
    await office.keeper.follow()
    assert office.digest == parse(OPEN).digest
    assert office.told == [(CHANGED, office.digest)]
    assert office.audit.events[0].details["previous"] == ""


async def test_a_broken_file_at_start_is_refused() -> None:
    made = Office()
    made.source.raw = BROKEN
    with pytest.raises(PolicyInvalid):
        await made.keeper.begin()


async def test_a_change_is_followed_and_told_with_both_digests(office: Office) -> None:
    office.source.raw = NARROW
    await office.keeper.follow()
    assert office.digest == parse(NARROW).digest
    assert office.told[1:] == [(CHANGED, office.digest)]
    assert office.audit.events[1].details["previous"] == parse(OPEN).digest


async def test_a_broken_file_changes_nothing_and_is_told_once(office: Office) -> None:
    office.source.raw = BROKEN
    for _ in range(3):
        await office.keeper.follow()
    assert office.digest == parse(OPEN).digest
    assert [kind for kind, _ in office.told] == [CHANGED, REFUSED]
    assert office.audit.events[1].details["problems"] == "1"
    ((code, problems),) = office.shown.refused
    assert code == "policy_invalid"
    assert "nothing could be called" in problems[0]


async def test_the_good_file_put_back_is_shown_as_followed_again(office: Office) -> None:
    office.source.raw = BROKEN
    await office.keeper.follow()
    office.source.raw = OPEN
    await office.keeper.follow()
    assert office.shown.followed == [parse(OPEN).digest] * 2


async def test_a_file_that_cannot_be_read_changes_nothing_and_is_shown_until_it_is_back(
    office: Office,
) -> None:
    office.source.raw = None
    for _ in range(2):
        with pytest.raises(PolicyUnreadable):
            await office.keeper.follow()
    assert office.digest == parse(OPEN).digest
    assert office.shown.refused == [("policy_unreadable", [])]
    office.source.raw = OPEN
    await office.keeper.follow()
    assert office.shown.followed == [office.digest] * 2


async def test_nothing_changes_while_the_audit_log_takes_nothing_R02(office: Office) -> None:
    office.audit.fails_from = office.audit.asked
    office.source.raw = NARROW
    with pytest.raises(AuditUnavailable):
        await office.keeper.follow()
    assert office.digest == parse(OPEN).digest
    office.audit.fails_from = None
    await office.keeper.follow()
    assert office.digest == parse(NARROW).digest


class Writing(FakeClock):
    """Time in which somebody writes a file piece by piece, one in each pause of whoever reads it."""

    def __init__(self, path: Path, pieces: Sequence[bytes]) -> None:
        super().__init__()
        self._path, self._pieces = path, iter(pieces)
        path.write_bytes(next(self._pieces))

    async def sleep(self, delay_s: float) -> None:
        self.pass_(delay_s)
        with self._path.open("ab") as file:
            file.write(next(self._pieces, b""))


async def test_a_file_is_read_as_it_lies_there_but_never_more_than_may_be_R23(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    with pytest.raises(PolicyUnreadable):
        await PolicyFile(path, FakeClock()).read()
    assert await PolicyFile(path, Writing(path, [OPEN])).read() == OPEN
    large = b"#" * (2 * POLICY_BYTES_MAX)
    assert len(await PolicyFile(path, Writing(path, [large])).read()) == POLICY_BYTES_MAX + 1


@pytest.mark.parametrize("pieces", range(2, LOOKS_MAX))
async def test_a_file_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path, pieces: int) -> None:
    path, last = tmp_path / "policy.toml", NARROW.removeprefix(b"version = 1\n")
    clock = Writing(path, [OPEN, *[b"\n"] * (pieces - 2), last])
    assert await PolicyFile(path, clock).read() == path.read_bytes()
    assert path.read_bytes().endswith(last)


async def test_a_file_that_is_never_done_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    with pytest.raises(PolicyUnreadable):
        await PolicyFile(path, Writing(path, [OPEN, *[b"\n"] * 100])).read()
    assert path.read_bytes() == OPEN + b"\n" * (LOOKS_MAX - 1)


class Following(RuleBasedStateMachine):
    """Whatever happens to the file and the audit log, the last good file that was told is in force."""

    def __init__(self) -> None:
        super().__init__()
        self.office = Office()
        self.run(self.office.keeper.begin())
        self.good = parse(OPEN).digest

    def run(self, step: object) -> bool:
        """Run a coroutine that waits for nothing; return whether it raised none of our errors."""
        try:
            step.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            return True
        except (AuditUnavailable, PolicyUnreadable):
            return False
        raise AssertionError("it waits")

    @rule(raw=st.sampled_from([OPEN, NARROW, BROKEN, b"", b"\xff", None]), is_logged=st.booleans())
    def look(self, raw: bytes | None, *, is_logged: bool) -> None:
        self.office.source.raw = raw
        self.office.audit.fails_from = None if is_logged else self.office.audit.asked
        if self.run(self.office.keeper.follow()) and raw in {OPEN, NARROW}:
            self.good = parse(raw).digest

    @invariant()
    def the_last_good_file_is_in_force(self) -> None:
        assert self.office.digest == self.good

    @invariant()
    def what_came_into_force_later_was_told_before(self) -> None:
        told = [digest for kind, digest in self.office.told if kind == CHANGED]
        assert self.office.digest in {*told, parse(OPEN).digest}


TestFollowing = Following.TestCase
TestFollowing.settings = settings(deadline=None, max_examples=30, stateful_step_count=15)
