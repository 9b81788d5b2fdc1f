"""How auth introduces itself to Amazon."""

import importlib.metadata

import pytest

from services.auth import amazon, inbox


@pytest.mark.parametrize("told", [amazon.USER_AGENT, inbox.USER_AGENT])
def test_amazon_hears_which_version_asks_and_in_what_language(told: str) -> None:
    assert told == f"Sallyport/{importlib.metadata.version('sallyport')} (Language=Python)"
