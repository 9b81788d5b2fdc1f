"""The closed world of methods: each RPC of a service has a row, and each row an RPC."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

import chassis.errors
from chassis.rpc import status

EVENT_FORM = re.compile(r"[a-z]+(\.[a-z_]+){2,}", re.ASCII)
DEADLINE_S_MAX = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row: who may call, how long it may take, and what kind of event a call is.

    Attributes:
        callers: identities, as in their certificates' names.
        deadline_s: after this the handler is cancelled; of a stream, its whole life.
        event: the event kind, `<svc>.<noun>.<verb-past>`.
    """

    callers: frozenset[str]
    deadline_s: float
    event: str

    def check(self, caller: str) -> None:
        """Return if a proven caller may call.

        Raises:
            CallerNotAllowed: it may not.
        """
        if caller not in self.callers:
            raise status.CallerNotAllowed


@dataclass(frozen=True, kw_only=True)
class Service:
    """A proto service with what serves it.

    Attributes:
        descriptor: from the generated module's DESCRIPTOR.
        add: the generated `add_..._to_server`.
        servicer: what handles the calls.
        methods: one row per RPC, by its name in the proto.
    """

    descriptor: ServiceDescriptor
    add: Callable[[Any, Any], None]
    servicer: object
    methods: Mapping[str, Method]


def rows(service: Service) -> dict[str, Method]:
    """Return the service's rows by the path that a call names.

    Raises:
        StartRefused: `methods_incomplete`, when an RPC has no row, a row no RPC, or a row says nothing.
    """
    rpcs = {method.name for method in service.descriptor.methods}
    problems = [f"{name} has no row" for name in sorted(rpcs - service.methods.keys())]
    problems += [f"{name} is no RPC" for name in sorted(service.methods.keys() - rpcs)]
    problems += [f"{name}: {problem}" for name, row in service.methods.items() for problem in _problems(row)]
    problems += [
        f"{method.name} streams requests without answers"
        for method in service.descriptor.methods
        if method.client_streaming and not method.server_streaming
    ]
    if problems:
        text = f"{service.descriptor.full_name}: {'; '.join(problems)}"
        raise chassis.errors.StartRefused("methods_incomplete", text)
    return {f"/{service.descriptor.full_name}/{name}": row for name, row in service.methods.items()}


def _problems(row: Method) -> list[str]:
    facts = {
        "nobody may call it": bool(row.callers),
        "its deadline is out of bounds": 0 < row.deadline_s <= DEADLINE_S_MAX,
        "its event kind is out of form": EVENT_FORM.fullmatch(row.event) is not None,
    }
    return [problem for problem, is_good in facts.items() if not is_good]
