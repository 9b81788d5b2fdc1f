"""`sallyport audit export` and `sallyport audit verify`."""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import sallyport.access
import sallyport.audit.export
from sallyport import console
from sallyport.audit import lines as form
from sallyport.audit.verify import Report, verify
from sallyport.terminal import say

NAME = "audit"
STANDARD_STREAM = "-"


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `audit` and its two tasks."""
    audit = subparsers.add_parser(NAME, help="fetch the audit log, or check one offline")
    tasks = audit.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_export(tasks)
    _add_verify(tasks)


def _add_export(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "export",
        help="write the log to a file, with signed checkpoints",
        description="Fetch the audit log as the identity 'console'. The export is itself on record.",
        epilog="Exit codes: 0 written, 1 refused or unavailable, 2 could not be tried.",
    )
    parser.add_argument(
        "--out",
        type=_log_place,
        required=True,
        metavar="FILE",
        help="where the log goes, whole or not at all; - is standard output, which keeps the beginning of an "
        "export that failed",
    )
    parser.add_argument(
        "--public-key-out",
        type=_key_file,
        metavar="FILE",
        help="also write the public key, read from the key service, that checks the checkpoints",
    )
    parser.add_argument("--from-sequence", type=_sequence, default=1, metavar="N", help="first record wanted")
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _export))


def _add_verify(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "verify",
        help="check an exported log offline",
        description="Check hashes, order, signatures and outcomes of an exported log (docs/audit-format.md).",
        epilog="Exit codes: 0 intact, 1 rejected (the first bad line is named), 2 could not be tried.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the exported log")
    parser.add_argument(
        "--public-key", type=Path, required=True, metavar="FILE", help="the key that you hold, in PEM form"
    )
    parser.add_argument(
        "--from-sequence", type=_sequence, default=1, metavar="N", help="the record that must come first"
    )
    parser.add_argument(
        "--at-least", type=_sequence, default=0, metavar="N", help="a record that the log must reach"
    )
    parser.set_defaults(verb=_verify)


def _export(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    if options.out is not None and options.out == options.public_key_out:
        text = f"--out and --public-key-out: both would be {options.out}"
        return console.complain(NAME, console.EXIT_UNUSABLE, text)
    written = sallyport.audit.export.export(
        config,
        from_sequence=options.from_sequence,
        out=options.out,
        public_key_out=options.public_key_out,
    )
    lines = asyncio.run(written)
    if options.out is not None:
        say(f"{lines} lines written to {options.out}")
    return console.EXIT_OK


def _verify(options: argparse.Namespace) -> int:
    """Check a log and say what was found; return the exit code."""
    try:
        with options.file.open("rb") as file:
            report = verify(
                _lines(file),
                options.public_key.read_bytes().decode("ascii", "replace"),
                from_sequence=options.from_sequence,
                at_least=options.at_least,
            )
    except OSError as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, console.reason(error))
    except ValueError as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, f"{options.public_key}: {error}")
    for line in _findings(report):
        say(line)
    return console.EXIT_OK if report.is_intact else console.EXIT_REFUSED


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's lines; of one that is too long only as much as shows that."""
    while line := file.readline(form.LINE_BYTES_MAX + 1):
        yield line


def _findings(report: Report) -> Iterator[str]:
    if report.fault is not None:
        fault = report.fault
        yield f"REJECTED at line {fault.line}, record {fault.sequence}: {fault.reason}: {fault.text}"
        yield f"before it: {report.records} records, {report.checkpoints} checkpoints"
        return
    last = report.last_checkpoint
    assert last is not None
    yield f"INTACT: {report.records} records, {report.checkpoints} checkpoints"
    yield f"last checkpoint: record {last.sequence}, signed {last.signed_at}, number {last.number}"
    yield f"key: {report.key}"
    yield f"intents without a final outcome: {report.intents_open}"
    if report.outcomes_of_earlier:
        yield f"outcomes of intents before the first record: {report.outcomes_of_earlier}"


def _log_place(text: str) -> Path | None:
    """Return where the log goes; None for standard output."""
    return None if text == STANDARD_STREAM else Path(text)


def _key_file(text: str) -> Path:
    if text == STANDARD_STREAM:
        raise argparse.ArgumentTypeError("not a file; only the log goes to standard output")
    return Path(text)


def _sequence(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("not a whole number from 1 on, as sequences are")
    return int(text)
