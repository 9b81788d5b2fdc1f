"""Nodes: places where one process at a time runs. It dies with all its memory; a new one follows.

What a process does is a task of its `Life`. When the life ends, its tasks are cancelled, whoever waits for
an answer hears that the peer went away, and nothing that was under way has an effect any more
(`Life.check`, which every step asks). What is durable belongs to nobody's life and stays.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from chassis.rpc.status import PeerUnavailable
from sallyport.simulate.faults import Crashed

H = TypeVar("H")
T = TypeVar("T")

DOWN_S_MIN = 0.5
DOWN_S_MAX = 10.0
"""How long a node stays down after a crash, in virtual seconds."""

LEFT_ALONE_SHARE = 0.5
"""How often a peer goes on with a call whose caller has left; else the call is cancelled."""

Mistake = Callable[[str, BaseException], None]


class Life:
    """One process, from its start to its end."""

    def __init__(
        self, name: str, *, choices: random.Random, mistake: Mistake, can_crash: bool = True
    ) -> None:
        """Begin; `mistake` hears of every task that ends by anything but the life's end."""
        self.name = name
        self.can_crash = can_crash
        self.is_over = False
        self.over = asyncio.Event()
        self._choices = choices
        self._mistake = mistake
        # In order of their start: a set's order would depend on addresses in memory.
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def check(self) -> None:
        """Return while the process lives.

        Raises:
            Crashed: it does not.
        """
        if self.is_over:
            raise Crashed(self.name)

    def end(self) -> None:
        """Let the process die now, with everything that it does."""
        if self.is_over:
            return
        self.is_over = True
        self.over.set()
        current = asyncio.current_task()
        for task in tuple(self._tasks):
            if task is not current:
                task.cancel()

    def start(self, work: Coroutine[Any, Any, object]) -> Callable[[], object]:
        """Do something that nobody waits for, as a part of this life; return what stops it."""
        task = self._begin(work)
        task.add_done_callback(self._note_end)
        return task.cancel

    async def serve(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what some work gives that this process does for somebody else.

        Raises:
            PeerUnavailable: the process is over, or ended meanwhile.
            Exception: what the work raised.
        """
        if self.is_over:
            raise PeerUnavailable
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = self._begin(work())
        task.add_done_callback(lambda done: self._give(done, answer))
        try:
            return await answer
        except asyncio.CancelledError:
            if self._choices.random() >= LEFT_ALONE_SHARE:
                task.cancel()
            raise

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    def _give(self, done: asyncio.Task[T], answer: asyncio.Future[T]) -> None:
        error = None if done.cancelled() else done.exception()
        if answer.done():
            return
        if self.is_over or done.cancelled():
            answer.set_exception(PeerUnavailable())
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())

    def _note_end(self, done: asyncio.Task[object]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None and not self.is_over:
            self._mistake(self.name, error)


class Node(Generic[H]):
    """Where one process after the other runs.

    Attributes:
        life: the process that runs now; over while the node is down.
        house: what that process is made of.
        crashes: how many processes died.
    """

    def __init__(
        self, name: str, build: Callable[[Life], H], *, choices: random.Random, mistake: Mistake
    ) -> None:
        self.name = name
        self._build = build
        self._choices = choices
        self._mistake = mistake
        self.crashes = 0
        self._start()

    def _start(self) -> None:
        self.life = Life(self.name, choices=self._choices, mistake=self._mistake)
        self.house = self._build(self.life)

    @property
    def is_up(self) -> bool:
        """Whether a process runs here."""
        return not self.life.is_over

    async def keep(self) -> None:
        """Start a new process each time one has died."""
        while True:
            await self.life.over.wait()
            self.crashes += 1
            await asyncio.sleep(self._choices.uniform(DOWN_S_MIN, DOWN_S_MAX))
            self._start()
