"""`sallyport policy check` and `sallyport policy show` (docs/policy.md)."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sallyport import console
from sallyport.policy import views
from sallyport.terminal import say
from services.gateway.catalogue.table import Catalogue
from services.gateway.model import policy_advice, policy_file
from services.gateway.model.application_policy import SCOPE_CALL, SCOPES, ApplicationPolicy, is_named
from services.gateway.model.calls import Profile

NAME = "policy"

# Stands for a device that no rule names.
SOME_DEVICE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class _Finding:
    """What an examination of a file found; `digest` is empty where there are problems."""

    problems: tuple[policy_file.Problem, ...]
    warnings: tuple[policy_file.Problem, ...]
    digest: str


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `policy` and its two tasks."""
    policy = subparsers.add_parser(NAME, help="check a policy file, or see what it shows to whom")
    tasks = policy.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_check(tasks)
    _add_show(tasks)


def _add_check(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "check",
        help="say whether a gateway would follow the file, and what in it does nothing",
        description="Check a policy file. Nothing is started and nothing is dialled.",
        epilog="Exit codes: 0 it can be followed, 1 it cannot, 2 it could not be read.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the policy file")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.set_defaults(verb=run_check)


def _add_show(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "show",
        help="say what a device gets of operations",
        description="Say what a device with these scopes gets of operations, as the gateway would decide.",
        epilog="Exit codes: 0 said, 1 the file cannot be followed, or there is no such thing, 2 unreadable.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the policy file")
    parser.add_argument(
        "--operation",
        required=True,
        metavar="NAME",
        help="e.g. ordersV0.getOrder; * is any characters",
    )
    parser.add_argument(
        "--scopes", default=SCOPE_CALL, metavar="LIST", help=f"of the device, by comma ({SCOPE_CALL})"
    )
    parser.add_argument(
        "--profile", choices=[each.value for each in Profile], default="bound", help="of the device (bound)"
    )
    parser.add_argument("--purpose", default="", metavar="WORD", help="of the call (the policy's default)")
    parser.add_argument(
        "--device", default=SOME_DEVICE, metavar="ID", help="the device's id (one that no rule names)"
    )
    parser.add_argument("--json", action="store_true", help="a JSON array instead of lines")
    parser.set_defaults(verb=run_show)


def run_check(options: argparse.Namespace) -> int:
    """Say what is wrong with a file; return the exit code."""
    try:
        raw = _read(options.file)
    except OSError as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, f"{options.file}: {error.strerror}")
    finding = _examined(raw)
    for line in [json.dumps(_as_json(finding), indent=1)] if options.json else _told(finding, options.file):
        say(line)
    return console.EXIT_REFUSED if finding.problems else console.EXIT_OK


def run_show(options: argparse.Namespace) -> int:
    """Say what a device gets; return the exit code."""
    try:
        policy = policy_file.parse(_read(options.file))
    except OSError as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, f"{options.file}: {error.strerror}")
    except policy_file.PolicyInvalid as refusal:
        return console.complain(
            NAME, console.EXIT_REFUSED, f"{refusal.text} See `sallyport policy check {options.file}`."
        )
    scopes = frozenset(options.scopes.split(",")) - {""}
    operations = [each for each in Catalogue.load() if is_named(each.name, (options.operation,))]
    if lack := _lack(options, policy, scopes, is_found=bool(operations)):
        return console.complain(NAME, console.EXIT_REFUSED, lack)
    asker = views.Asker(
        device_id=options.device,
        profile=Profile(options.profile),
        scopes=scopes,
        purpose=options.purpose or policy.purpose_default,
    )
    rows = [views.view(policy, each, asker) for each in operations]
    if options.json:
        say(json.dumps(rows, indent=1))
    else:
        for line in (line for row in rows for line in views.lines(row)):
            say(line)
    return console.EXIT_OK


def _lack(
    options: argparse.Namespace, policy: ApplicationPolicy, scopes: frozenset[str], *, is_found: bool
) -> str:
    """Return what the question names that there is not; empty when there is nothing to say."""
    if not is_found:
        return f"no operation is named {options.operation!r}; --operation '*' shows every one"
    if strange := sorted(scopes - SCOPES):
        return f"no device has the scope {strange[0]!r}; there are {', '.join(sorted(SCOPES))}"
    if options.purpose and options.purpose not in policy.purposes:
        return (
            f"the policy knows no purpose {options.purpose!r}; there are {', '.join(sorted(policy.purposes))}"
        )
    return ""


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(policy_file.POLICY_BYTES_MAX + 1)


def _examined(raw: bytes) -> _Finding:
    try:
        policy = policy_file.parse(raw)
    except policy_file.PolicyInvalid as refusal:
        return _Finding(refusal.problems, (), "")
    warnings = policy_advice.advise(policy, tuple(Catalogue.load()), policy_file.lines(raw.decode()))
    return _Finding((), tuple(warnings), policy.digest)


def _as_json(finding: _Finding) -> dict[str, Any]:
    listed = {"problems": finding.problems, "warnings": finding.warnings}
    rows = {
        name: [{"line": each.line, "key": each.key, "text": each.text} for each in found]
        for name, found in listed.items()
    }
    return {"is_valid": not finding.problems, "digest": finding.digest, **rows}


def _told(finding: _Finding, file: Path) -> Iterator[str]:
    yield from (f"{file}: {problem}" for problem in finding.problems)
    yield from (f"{file}: warning: {warning}" for warning in finding.warnings)
    if finding.problems:
        yield f"{_counted(finding.problems, 'problem')}: a gateway would not follow this file"
    else:
        warned = _counted(finding.warnings, "warning")
        yield f"a gateway would follow this file; {warned}; SHA-256 {finding.digest}"


def _counted(found: Sequence[policy_file.Problem], word: str) -> str:
    return f"{len(found)} {word}{'' if len(found) == 1 else 's'}"
