"""How services introduce themselves outside: by the version that was built, which a release raises."""

import importlib.metadata

import pytest

from services.auth import amazon, inbox
from services.telemetry import webhook


@pytest.mark.parametrize(
    ("told", "besides"),
    [
        (amazon.USER_AGENT, "Language=Python"),
        (inbox.USER_AGENT, "Language=Python"),
        (webhook.USER_AGENT, "webhook"),
    ],
)
def test_whoever_is_called_hears_which_version_calls_and_what_they_want_to_know_besides(
    told: str, besides: str
) -> None:
    assert told == f"Sallyport/{importlib.metadata.version('sallyport')} ({besides})"
