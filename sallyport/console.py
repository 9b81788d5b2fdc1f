"""What the console's tasks have in common: how they connect, how they end, and what they say when they fail.

Exit codes: 0 done, 1 refused or unavailable, 2 could not be tried, 130 interrupted.
"""

import argparse
import contextlib
import logging
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import chassis.env
import chassis.errors
import chassis.secrecy
import sallyport.access

EXIT_OK = 0
EXIT_REFUSED = 1
EXIT_UNUSABLE = 2
# As shells tell a program that Ctrl-C has ended.
EXIT_INTERRUPTED = 130
EXIT_CODES = "Exit codes: 0 done, 1 refused or unavailable, 2 could not be tried."
HINT = (
    "For a stack of `sallyport run` on this machine give --state-folder .sallyport; for any other set these "
    "variables, of which `sallyport inventory` tells more"
)
# What a stack that is not up is told as.
DOWN = frozenset({"key_service_unavailable", "peer_unavailable"})
# What the log calls so is told in these words.
WARNINGS: Mapping[str, str] = MappingProxyType(
    {"key_service_awaited": "the key service does not answer; waiting for it, half a minute at most"}
)

Task = Callable[[argparse.Namespace, sallyport.access.Config], int]
Verb = Callable[[argparse.Namespace], int]


def folder(text: str) -> Path:
    """Return an option's folder; one without a name would be wherever one stands.

    Raises:
        ArgumentTypeError: it has none.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("names no folder; `.` is this one")
    return Path(text)


def add_state_folder(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which stack on this machine is meant; see `connection`."""
    parser.add_argument(
        "--state-folder",
        type=folder,
        metavar="FOLDER",
        help="take the connection from the state of `sallyport run`, not from SALLYPORT_ variables",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that has a task speak to programs."""
    parser.add_argument("--json", action="store_true", help="one JSON object per line, for programs")


def connection(options: argparse.Namespace) -> sallyport.access.Config:
    """Return how the services are reached: by the state folder where one is given, else by the environment.

    Raises:
        ConfigError: naming every bad key, or saying what else to give.
        OSError: the state folder cannot be read.
    """
    if options.state_folder is not None:
        return sallyport.access.load(sallyport.access.read_state_folder(options.state_folder))
    try:
        return sallyport.access.load(os.environ)
    except chassis.env.ConfigError as error:
        raise chassis.env.ConfigError(error.code, f"{error.text}. {HINT}") from error


def tried(name: str, task: Task) -> Verb:
    """Return the verb that connects, tries a task, and says why when it does not succeed.

    Args:
        name: of the verb, as complaints begin with it.
        task: returns the exit code.
    """

    def verb(options: argparse.Namespace) -> int:
        try:
            with _warnings_told_once(name):
                return task(options, connection(options))
        except chassis.errors.StartRefused as error:
            return complain(name, EXIT_UNUSABLE, str(error))
        except KeyboardInterrupt:
            return complain(
                name, EXIT_INTERRUPTED, "interrupted; what the services were asked for, they go on with"
            )
        except BrokenPipeError:
            raise  # Whoever read has gone, and `cli.main` knows what that is.
        except OSError as error:
            return complain(name, EXIT_UNUSABLE, reason(error))
        except chassis.errors.SallyportError as error:
            is_asked = error.code in DOWN and options.state_folder is not None
            advice = f" Is the `sallyport run` of {options.state_folder} up?" if is_asked else ""
            return complain(name, EXIT_REFUSED, f"{error.code}: {error.text}{advice}")

    return verb


@contextlib.contextmanager
def _warnings_told_once(name: str) -> Iterator[None]:
    """Tell people of what is logged meanwhile: each thing once, however often it is."""
    handler = _OnceHandler(name)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _OnceHandler(logging.Handler):
    def __init__(self, name: str) -> None:
        super().__init__(logging.WARNING)
        self._verb = name
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        event = record.getMessage()
        if event not in self._told:
            self._told.add(event)
            complain(self._verb, EXIT_OK, WARNINGS.get(event, chassis.secrecy.scrub(event)))


def seconds(text: str, *, at_least: float, at_most: float) -> float:
    """Return an option's seconds, within bounds.

    Raises:
        ArgumentTypeError: it is no number, or out of bounds.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not at_least <= number <= at_most:
        raise argparse.ArgumentTypeError(f"not a number of seconds from {at_least:.0f} to {at_most:.0f}")
    return number


def reason(error: OSError) -> str:
    """Return what the system refused, and of which file; of two the one that was to be written."""
    if error.filename is None:
        return str(error)
    return f"{error.filename2 or error.filename}: {error.strerror}"


def complain(name: str, code: int, text: str) -> int:
    """Say on standard error why a verb, or `sallyport` itself, ends with this code; return the code."""
    sys.stderr.write(f"{f'sallyport {name}'.rstrip()}: {text.rstrip()}\n")
    return code
