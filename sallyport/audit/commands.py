"""`sallyport audit export` and `sallyport audit verify`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import chassis.errors
import sallyport.access
import sallyport.audit.export
from sallyport.audit import lines as form
from sallyport.audit.verify import Report, verify

EXIT_OK = 0
EXIT_REJECTED = 1
EXIT_UNUSABLE = 2


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `audit` and its two tasks."""
    audit = subparsers.add_parser("audit", help="fetch the audit log, or check one offline")
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
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the log goes")
    parser.add_argument(
        "--public-key-out",
        type=Path,
        metavar="FILE",
        help="also write the public key, read from the key service, that checks the checkpoints",
    )
    parser.add_argument("--from-sequence", type=_sequence, default=1, metavar="N", help="first record wanted")
    parser.add_argument(
        "--state-folder",
        type=Path,
        metavar="FOLDER",
        help="take the connection from the state of `sallyport run`, not from SALLYPORT_ variables",
    )
    parser.set_defaults(verb=run_export)


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
    parser.set_defaults(verb=run_verify)


def run_export(options: argparse.Namespace) -> int:
    """Write the log, and the key when asked; return the exit code."""
    try:
        folder: Path | None = options.state_folder
        environ = os.environ if folder is None else sallyport.access.read_state_folder(folder)
        config = sallyport.access.load(environ)
        lines = asyncio.run(
            sallyport.audit.export.export(
                config,
                from_sequence=options.from_sequence,
                out=options.out,
                public_key_out=options.public_key_out,
            )
        )
    except (chassis.errors.StartRefused, OSError) as error:
        return _complain(EXIT_UNUSABLE, str(error))
    except chassis.errors.SallyportError as error:
        return _complain(EXIT_REJECTED, f"{error.code}: {error.text}")
    _say(f"{lines} lines written to {options.out}")
    return EXIT_OK


def run_verify(options: argparse.Namespace) -> int:
    """Check a log and say what was found; return the exit code."""
    try:
        public_key_pem = options.public_key.read_text(encoding="ascii")
        with options.file.open("rb") as file:
            report = verify(
                _lines(file),
                public_key_pem,
                from_sequence=options.from_sequence,
                at_least=options.at_least,
            )
    except (OSError, ValueError) as error:
        return _complain(EXIT_UNUSABLE, str(error))
    for line in _findings(report):
        _say(line)
    return EXIT_OK if report.is_intact else EXIT_REJECTED


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


def _sequence(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("sequences start at 1")
    return number


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(code: int, text: str) -> int:
    sys.stderr.write(f"sallyport audit: {text}\n")
    return code
