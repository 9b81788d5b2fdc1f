"""Requests that schemathesis makes from a description: some that fit it, some that do not.

It runs in a process of its own, because making is slower than sending.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from bench.malformed.attempts import HOST
from bench.malformed.description import describe
from services.gateway.catalogue.table import Catalogue

ORIGIN = f"https://{HOST}"
MODES = (GenerationMode.NEGATIVE, GenerationMode.POSITIVE)
# What the sender adds itself, or what would only tell of schemathesis.
LEFT_OUT = frozenset({"host", "user-agent", "x-schemathesis-testcaseid", "connection", "content-length"})

Request = tuple[str, str, dict[str, str], bytes]
"""Method, target, headers, body."""


def make(seed: int, count: int) -> list[Request]:
    """Return `count` requests over as many operations as there are, in random order."""
    schema = schemathesis.openapi.from_dict(describe(Catalogue.load()))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    random.shuffle(operations)
    each = max(count // (len(operations) * len(MODES)), 1)
    made: list[Request] = []
    for operation in operations:
        for mode in MODES:
            made += _cases(operation, mode, seed=seed, count=each)
        if len(made) >= count:
            break
    random.shuffle(made)
    return made[:count]


def _cases(operation: Any, mode: GenerationMode, *, seed: int, count: int) -> list[Request]:
    made: list[Request] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: schemathesis.Case[Any]) -> None:
        made.extend(_written(case))

    try:
        collect()
    except Exception as error:
        # An operation without parameters cannot be called wrongly, says schemathesis by an error of its own.
        if type(error).__module__.split(".")[0] not in {"schemathesis", "hypothesis"}:
            raise
    return made


def _written(case: schemathesis.Case[Any]) -> Iterator[Request]:
    """Yield the request that a case is, if HTTP has a form for it."""
    try:
        prepared = requests.Request(**case.as_transport_kwargs(base_url=ORIGIN)).prepare()
    except (ValueError, TypeError, requests.RequestException):
        return
    headers = {name: _text(value) for name, value in prepared.headers.items() if name.lower() not in LEFT_OUT}
    body = prepared.body if prepared.body is not None else b""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes):
        yield prepared.method or "GET", prepared.path_url, headers, body


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
