"""News of devices: complete, or the watcher is cut off."""

import pytest

from services.auth.model.devices import Revocation
from services.auth.service.news import NEWS_QUEUED_MAX, WATCHERS_MAX, News, NewsInterrupted

ONE = Revocation(device_id="one", seller_id="seller")
TWO = Revocation(device_id="two", seller_id="seller")


def live() -> News:
    news = News()
    news.open()
    return news


async def test_every_watcher_hears_everything_in_order() -> None:
    news = live()
    first, second = news.watch(), news.watch()
    news.tell(ONE)
    news.tell(TWO)
    for watcher in (first, second):
        assert [await watcher.next(), await watcher.next()] == [ONE, TWO]


async def test_nobody_watches_while_storage_cannot_be_heard_R11() -> None:
    with pytest.raises(NewsInterrupted):
        News().watch()


async def test_a_broken_line_cuts_watchers_off_after_what_they_were_told_R11() -> None:
    news = live()
    watcher = news.watch()
    news.tell(ONE)
    news.interrupt()
    assert await watcher.next() == ONE
    with pytest.raises(NewsInterrupted):
        await watcher.next()
    with pytest.raises(NewsInterrupted):
        news.watch()
    news.open()
    news.watch()


async def test_a_slow_watcher_is_cut_off_instead_of_missing_something_R23() -> None:
    news = live()
    watcher = news.watch()
    for _ in range(NEWS_QUEUED_MAX + 5):
        news.tell(ONE)
    for _ in range(NEWS_QUEUED_MAX):
        await watcher.next()
    with pytest.raises(NewsInterrupted):
        await watcher.next()


async def test_watchers_are_bounded_and_leaving_makes_room_R23() -> None:
    news = live()
    watchers = [news.watch() for _ in range(WATCHERS_MAX)]
    with pytest.raises(NewsInterrupted):
        news.watch()
    news.leave(watchers[0])
    news.watch()
