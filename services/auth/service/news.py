"""Telling every watcher about devices that changed, as it is committed.

Storage tells each replica, and each replica its watchers. A watcher that cannot be told everything is
cut off, so that it asks anew and trusts nothing it remembered: when the line to storage breaks, or when
it is too slow.
"""

import asyncio

from chassis.errors import Unavailable
from services.auth.model.devices import Revocation

WATCHERS_MAX = 100
NEWS_QUEUED_MAX = 1_000


class NewsInterrupted(Unavailable):
    """The stream of news may have a gap; what was remembered is not to be trusted."""

    code = "news_interrupted"
    text = "The stream of revocations was interrupted. Watch again."


class Watcher:
    """One reader of the news."""

    def __init__(self) -> None:
        # The last place is kept for the end of the news.
        self._queue: asyncio.Queue[Revocation | None] = asyncio.Queue(NEWS_QUEUED_MAX + 1)
        self.is_cut_off = False

    async def next(self) -> Revocation:
        """Return the next piece of news, in order of commit.

        Raises:
            NewsInterrupted: there will be no more.
        """
        revocation = await self._queue.get()
        if revocation is None:
            raise NewsInterrupted
        return revocation

    def tell(self, revocation: Revocation) -> None:
        """Queue a piece of news; a watcher with a full queue is cut off."""
        if self.is_cut_off:
            return
        if self._queue.qsize() >= NEWS_QUEUED_MAX:
            self.cut_off()
        else:
            self._queue.put_nowait(revocation)

    def cut_off(self) -> None:
        """End the news for this watcher, after what is queued."""
        if not self.is_cut_off:
            self.is_cut_off = True
            self._queue.put_nowait(None)


class News:
    """This replica's news: storage tells it, watchers listen."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._is_live = False

    def open(self) -> None:
        """Storage tells us everything from now on."""
        self._is_live = True

    def tell(self, revocation: Revocation) -> None:
        """Pass a piece of news on."""
        for watcher in tuple(self._watchers):
            watcher.tell(revocation)

    def interrupt(self) -> None:
        """Storage may not have told us everything: cut every watcher off."""
        self._is_live = False
        for watcher in tuple(self._watchers):
            watcher.cut_off()

    def watch(self) -> Watcher:
        """Return a watcher for all news from now on; `leave` it at the end.

        Raises:
            NewsInterrupted: storage cannot be listened to now, or WATCHERS_MAX are watching.
        """
        if not self._is_live or len(self._watchers) >= WATCHERS_MAX:
            raise NewsInterrupted
        watcher = Watcher()
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        self._watchers.discard(watcher)
