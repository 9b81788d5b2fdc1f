"""What the control interface is given, read strictly, and how it refuses."""

from collections.abc import Mapping
from typing import Any


class ControlRefused(Exception):
    """A control could not do what was asked; `status` is an HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def text(body: Mapping[str, Any], name: str) -> str:
    """Return a member that is a text.

    Raises:
        ControlRefused: 400, it is not, or empty.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlRefused(400, f"{name} must be a text that is not empty")
    return value


def number(value: Any, name: str) -> float:
    """Return a value that is a number.

    Raises:
        ControlRefused: 400, it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ControlRefused(400, f"{name} must be a number")
    return float(value)
