"""What every Python program stands on: lines of JSON in, lines of JSON out."""

import json
import sys
from collections.abc import Callable, Mapping

TEXT_CHARS_MAX = 2_000

Verb = Callable[..., object]


def serve(verbs: Mapping[str, Verb]) -> None:
    """Do what each line of standard input asks for, until there are no more."""
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_answer(verbs[asked.pop("do")], asked)), flush=True)  # noqa: T201 - the answer


def _answer(verb: Verb, asked: dict[str, object]) -> dict[str, object]:
    try:
        return {"seen": verb(**asked)}
    except Exception as error:  # noqa: BLE001 - whatever the library raises is what the test wants to know
        text = f"{error} {getattr(error, 'body', '')} {getattr(error, 'error', '')}"
        return {"raised": {"name": type(error).__name__, "text": text[:TEXT_CHARS_MAX]}}
