"""The console script `sallyport`: one verb per task of an operator.

Exit codes: 0 done, 1 the task found something wrong and said what, 2 it could not be tried (usage,
configuration), or nobody reads what it says, 130 interrupted (Ctrl-C).
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import chassis.secrecy
import sallyport.application.commands
import sallyport.audit.commands
import sallyport.bench.command
import sallyport.demo.command
import sallyport.inventory
import sallyport.keys.commands
import sallyport.people.commands
import sallyport.policy.commands
import sallyport.run
import sallyport.sellers.commands
import sallyport.simulate.command
import sallyport.webhook
from sallyport import console

Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb named in `arguments` (default: the command line) and return its exit code."""
    _open_closed_streams()
    try:
        try:
            return _obey(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return console.EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone, as `head` does.
        _let_go_of_output()
        return console.EXIT_UNUSABLE
    except OSError as error:
        _let_go_of_output()
        return console.complain("", console.EXIT_UNUSABLE, console.reason(error))
    except UnicodeError:
        text = f"what was given, or is to be shown, is no text in {sys.stdout.encoding}"
        return console.complain("", console.EXIT_UNUSABLE, text)


def _obey(arguments: Sequence[str] | None) -> int:
    grammar = parser()
    options, unknown = grammar.parse_known_args(arguments)
    if unknown:
        grammar.error(_told(unknown))
    verb: Verb = options.verb
    return verb(options)


def _open_closed_streams() -> None:
    """Let a stream that was closed for us be an empty one, in its own place: Python has None for it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # For as long as the process runs.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _let_go_of_output() -> None:
    """Have what Python still wants to write at the end go nowhere, where nobody takes it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(unknown: Sequence[str]) -> str:
    """Return what is said of words that no verb takes: options by name, but no value; it may be a secret."""
    names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    others = len(unknown) - len(names)
    counted = [f"{others} word{'' if others == 1 else 's'} too many"] if others else []
    return f"not known here: {', '.join(names + counted)}; see --help"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line without repeating a credential that was typed there."""

    def error(self, message: str) -> NoReturn:
        """Print usage and the scrubbed message, and exit with EXIT_UNUSABLE."""
        super().error(chassis.secrecy.scrub(message))


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    root: argparse.ArgumentParser = _Parser(
        prog="sallyport",
        description="The server side of a hybrid Amazon SP-API application. Begin with `sallyport run`.",
        epilog="Every verb and task has --help. Exit codes: 0 done, 1 something is wrong, 2 not tried, "
        "130 interrupted.",
    )
    verbs = root.add_subparsers(title="verbs", metavar="VERB", required=True)
    sallyport.run.add_command(verbs)
    sallyport.demo.command.add_command(verbs)
    sallyport.application.commands.add_commands(verbs)
    sallyport.audit.commands.add_commands(verbs)
    sallyport.bench.command.add_command(verbs)
    sallyport.inventory.add_command(verbs)
    sallyport.keys.commands.add_commands(verbs)
    sallyport.people.commands.add_commands(verbs)
    sallyport.policy.commands.add_commands(verbs)
    sallyport.sellers.commands.add_commands(verbs)
    sallyport.simulate.command.add_command(verbs)
    sallyport.webhook.add_commands(verbs)
    return root
