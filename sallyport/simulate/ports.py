"""Ports that may fail: every asynchronous method is a step, with whatever fault the seed holds for it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sallyport.simulate.faults import Faults, Way

P = TypeVar("P")

Witness = Callable[[str, Sequence[Any], Mapping[str, Any]], None]
"""Sees each effect of a port at its very moment: method, positional and named arguments."""


class _Faulty:
    """A port whose every asynchronous method goes through `Faults.around`; all else is passed on."""

    def __init__(self, port: object, *, way: Way, faults: Faults, witness: Witness | None) -> None:
        self._port = port
        self._way = way
        self._faults = faults
        self._witness = witness

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        if not inspect.iscoroutinefunction(real):
            return real

        async def step(*values: Any, **named: Any) -> Any:
            async def effect() -> Any:
                if self._witness is not None:
                    self._witness(method, values, named)
                return await real(*values, **named)

            return await self._faults.around(self._way, method, effect)

        return step


def faulty(port: P, way: Way, faults: Faults, *, witness: Witness | None = None) -> P:
    """Return a port that is reached by `way` and may fail; `witness` sees its effects."""
    return cast("P", _Faulty(port, way=way, faults=faults, witness=witness))
