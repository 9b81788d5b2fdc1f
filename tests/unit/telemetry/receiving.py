"""A receiver's own check of a message: the very lines that docs/webhooks.md gives to vendors."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
SNIPPET = re.compile(r"```python\n(.*?)```", re.DOTALL)

Check = Callable[[str, Mapping[str, str], bytes, float], bool]


def check() -> Check:
    """Return `is_ours` as the page defines it."""
    (snippet,) = SNIPPET.findall(PAGE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    exec(snippet, names)
    found: Check = names["is_ours"]
    return found
