"""The console script `sallyport`: one verb per task of an operator.

Exit codes: 0 done, 1 the task found something wrong and said what, 2 it could not be tried (usage,
configuration).
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
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

EXIT_USAGE = 2

Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb named in `arguments` (default: the command line) and return its exit code."""
    grammar = parser()
    options, unknown = grammar.parse_known_args(arguments)
    if unknown:
        grammar.error(_told(unknown))
    verb: Verb = options.verb
    try:
        return verb(options)
    except KeyboardInterrupt:
        return EXIT_USAGE
    except BrokenPipeError:
        # Whoever read has gone, as `head` does; nor has anybody what Python still wants to write at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_USAGE


def _told(unknown: Sequence[str]) -> str:
    """Return what is said of words that no verb takes: options by name, but no value; it may be a secret."""
    names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    others = len(unknown) - len(names)
    counted = [f"{others} word{'' if others == 1 else 's'} too many"] if others else []
    return f"not known here: {', '.join(names + counted)}; see --help"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line without repeating a credential that was typed there."""

    def error(self, message: str) -> NoReturn:
        """Print usage and the scrubbed message, and exit with EXIT_USAGE."""
        super().error(chassis.secrecy.scrub(message))


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    root: argparse.ArgumentParser = _Parser(
        prog="sallyport",
        description="The server side of a hybrid Amazon SP-API application. Begin with `sallyport run`.",
        epilog="Every verb and task has --help. Exit codes: 0 done, 1 something is wrong, 2 not tried.",
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
