"""How far a rotation has come, as people and programs read it: a bar, lines, or JSON."""

import json
import time
from contextlib import AbstractContextManager
from typing import Protocol, Self

import rich.progress

import sallyport.terminal
from wire.auth.v1.keys_pb2 import RotationProgress

# Below this share nothing sensible can be said about the time that is left.
SHARE_MIN = 0.02
LINE_EVERY_S = 1.0
PHASES = {False: "sealing anew", True: "settling"}


class Display(AbstractContextManager["Display"], Protocol):
    """Where progress is shown."""

    def show(self, progress: RotationProgress) -> None:
        """Show how far it is now."""
        ...


class Bar(AbstractContextManager["Bar"]):
    """A bar that moves, for a terminal."""

    def __init__(self) -> None:
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TextColumn("{task.fields[keys]}"),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("values"),
            rich.progress.TimeRemainingColumn(),
        )
        self._task = self._bar.add_task(PHASES[False], total=None, keys="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: RotationProgress) -> None:
        """Move the bar."""
        self._bar.update(
            self._task,
            description=PHASES[_is_rewrapped(progress)],
            total=progress.values,
            completed=_done(progress),
            keys=f"{progress.keys_rewrapped} of {progress.keys} keys",
        )


class Lines(AbstractContextManager["Lines"]):
    """One line now and then, for a log or a pipe."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._said_s = -LINE_EVERY_S

    def __exit__(self, *_: object) -> None:
        return

    def show(self, progress: RotationProgress) -> None:
        """Print a line, unless one was printed a moment ago; the last one always."""
        elapsed_s = time.monotonic() - self._began_s
        if elapsed_s - self._said_s >= LINE_EVERY_S or _is_rewrapped(progress):
            self._said_s = elapsed_s
            sallyport.terminal.say(line(progress, elapsed_s))


class Json(AbstractContextManager["Json"]):
    """One JSON object per line, for a program."""

    def __exit__(self, *_: object) -> None:
        return

    def show(self, progress: RotationProgress) -> None:
        """Print an object."""
        sallyport.terminal.say(json.dumps(facts(progress)))


def facts(progress: RotationProgress) -> dict[str, int | None]:
    """Return progress as it is printed for programs."""
    return {
        "keys": progress.keys,
        "keys_rewrapped": progress.keys_rewrapped,
        "keys_closed": progress.keys_closed,
        "values": progress.values,
        "values_done": progress.values_done,
        "values_damaged": progress.values_damaged,
        "closes_in_s": progress.closes_in_s if progress.HasField("closes_in_s") else None,
    }


def line(progress: RotationProgress, elapsed_s: float) -> str:
    """Return progress as one line of text, with the time left where it can be told."""
    keys = f"{progress.keys_rewrapped} of {progress.keys} keys"
    if _is_rewrapped(progress):
        return f"  {keys}, all values are sealed anew"
    text = f"  {keys}, {_done(progress)} of {progress.values} values"
    share = _done(progress) / progress.values if progress.values else 0.0
    if share < SHARE_MIN:
        return text
    return f"{text}, about {clock(elapsed_s * (1 - share) / share)} left"


def clock(span_s: float) -> str:
    """Return a span as minutes and seconds."""
    minutes, seconds = divmod(round(span_s), 60)
    return f"{minutes}:{seconds:02d}"


def _done(progress: RotationProgress) -> int:
    """Return how many values were looked at; others come and go meanwhile, so never more than there were."""
    return min(progress.values, progress.values_done + progress.values_damaged)


def _is_rewrapped(progress: RotationProgress) -> bool:
    return progress.keys_rewrapped >= progress.keys
