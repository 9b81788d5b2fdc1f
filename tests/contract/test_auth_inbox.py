"""What the vendor's queue promises auth, in memory and through SQS's own library to the simulated Amazon."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import RestlessClock
from fakes.auth_rotation_house import VISIBLE_AGAIN_S, FakeInbox
from services.auth.inbox import VISIBLE_AGAIN_S as REAL_VISIBLE_AGAIN_S
from services.auth.inbox import Queue, connect, key_file
from services.auth.model.notices import QueueKey
from services.auth.model.secret_refusals import QueueUnavailable
from services.auth.service.rotation_ports import Inbox
from simulator.app import Running
from simulator.controls import Controls
from tests.integration.auth.rehearsal import simulated_amazon

KEY = "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = made up\n"


@dataclass
class Post:
    """The port under test, and the back doors: how letters get in, time passes, and the queue breaks."""

    inbox: Inbox
    put: Callable[[str], object]
    pass_: Callable[[timedelta], object]
    break_: Callable[[], object]
    count: Callable[[], int]


@pytest.fixture
async def fake_post() -> Post:
    clock = RestlessClock()
    inbox = FakeInbox(clock)

    def break_() -> None:
        inbox.is_down = True

    return Post(
        inbox,
        put=inbox.put,
        pass_=lambda span: clock.pass_(span.total_seconds()),
        break_=break_,
        count=lambda: len(inbox.rows),
    )


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with simulated_amazon(tmp_path) as amazon:
        yield amazon


def queue_of(running: Running) -> Queue:
    url = running.https[0]
    return Queue(
        url=f"{url}/000000000000/client-secrets",
        region="us-east-1",
        endpoint=url,
        ca_file=Path(running.ca_file),
    )


@pytest.fixture
async def real_post(running: Running, tmp_path: Path) -> AsyncIterator[Post]:
    controls = Controls(running.core)
    (tmp_path / "key").write_text(KEY)
    fault = {"operation": "sqs.receiveMessage", "kind": "deny", "count": 5}
    async with connect(queue_of(running), key_file(tmp_path / "key")) as inbox:
        yield Post(
            inbox,
            put=lambda text: controls.send_letter({"text": text}),
            pass_=lambda span: controls.turn_clock({"advance_s": span.total_seconds()}),
            break_=lambda: controls.script_fault(fault),
            count=lambda: int(controls.queue()["visible"]) + int(controls.queue()["in_flight"]),
        )


@pytest.fixture(params=["fake_post", "real_post"])
def post(request: pytest.FixtureRequest) -> Post:
    post: Post = request.getfixturevalue(request.param)
    return post


def test_a_letter_is_hidden_for_as_long_as_the_fake_hides_it() -> None:
    assert VISIBLE_AGAIN_S == REAL_VISIBLE_AGAIN_S


async def test_letters_come_until_they_are_deleted_R12(post: Post) -> None:
    post.put("first")
    post.put("second")
    letters = await post.inbox.receive()
    assert sorted(letter.body.reveal() for letter in letters) == ["first", "second"]
    for letter in letters:
        await post.inbox.delete(letter)
        await post.inbox.delete(letter)
    assert post.count() == 0


async def test_a_letter_that_is_not_deleted_comes_again_R12(post: Post) -> None:
    post.put("again")
    (early,) = await post.inbox.receive()
    post.pass_(timedelta(seconds=VISIBLE_AGAIN_S))
    (late,) = await post.inbox.receive()
    assert early.body == late.body
    await post.inbox.delete(late)
    assert post.count() == 0


async def test_a_queue_that_gives_no_answer_is_unavailable(post: Post) -> None:
    post.put("kept")
    post.break_()
    with pytest.raises(QueueUnavailable):
        await post.inbox.receive()
    assert post.count() == 1


async def test_after_a_fault_the_key_is_read_anew(running: Running) -> None:
    keys: list[str] = []

    async def find_key() -> QueueKey:
        keys.append(f"AKIA{len(keys)}")
        return QueueKey(access_key_id=keys[-1], secret_access_key=Secret("made up"))

    controls = Controls(running.core)
    controls.script_fault({"operation": "sqs.receiveMessage", "kind": "deny", "count": 1})
    async with connect(queue_of(running), find_key) as inbox:
        controls.send_letter({"text": "one"})
        with pytest.raises(QueueUnavailable):
            await inbox.receive()
        for _ in range(2):
            (letter,) = await inbox.receive()
            controls.send_letter({"text": "another"})
            await inbox.delete(letter)
    assert keys == ["AKIA0", "AKIA1"]


async def test_a_key_is_read_from_a_file_as_awss_tools_write_it(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"{KEY}aws_session_token = token%with=signs\n\n[other]\naws_access_key_id = no\n")
    key = await key_file(path)()
    assert (key.access_key_id, key.secret_access_key.reveal()) == ("AKIAEXAMPLE", "made up")
    assert key.session_token is not None
    assert key.session_token.reveal() == "token%with=signs"


@pytest.mark.parametrize("content", [None, "", "[default]\naws_access_key_id = only", "no section", "[a\n"])
async def test_a_file_without_a_key_is_unavailable_and_not_quoted_T28(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "credentials"
    if content is not None:
        path.write_text(content)
    with pytest.raises(QueueUnavailable) as refusal:
        await key_file(path)()
    assert refusal.value.__cause__ is None
    assert "only" not in str(refusal.value)
