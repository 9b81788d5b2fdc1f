"""What auth is told about the vendor's queue and about rotation."""

from datetime import timedelta
from pathlib import Path

import pytest

import chassis.env
from services.auth import config
from services.auth.model.consents import Region
from tests.unit.auth.test_config import ENVIRON

QUEUE = {"SALLYPORT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/secrets"}


def test_without_a_queue_nothing_rotates_by_itself() -> None:
    loaded = config.load(ENVIRON)
    assert loaded.queue is None
    assert (loaded.rotation.is_heard, loaded.rotation.ahead) == (False, timedelta(days=30))


def test_a_queue_its_region_and_its_key_are_configured() -> None:
    told = {
        "SALLYPORT_QUEUE_REGION": "eu-west-1",
        "SALLYPORT_QUEUE_KEY_FILE": "/etc/queue-key",
        "SALLYPORT_ROTATION_AHEAD_DAYS": "45",
        "SALLYPORT_ROTATION_REGION": "eu",
    }
    loaded = config.load({**ENVIRON, **QUEUE, **told})
    assert loaded.queue is not None
    assert (loaded.queue.region, loaded.queue.endpoint) == ("eu-west-1", None)
    assert loaded.queue.key_file == Path("/etc/queue-key")
    assert (loaded.rotation.is_heard, loaded.rotation.region) == (True, Region.EU)
    assert loaded.rotation.ahead == timedelta(days=45)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SALLYPORT_QUEUE_URL", "http://sqs.example/queue"),
        ("SALLYPORT_QUEUE_ENDPOINT", "http://localhost"),
        ("SALLYPORT_QUEUE_REGION", "Frankfurt"),
        ("SALLYPORT_ROTATION_AHEAD_DAYS", "7"),
        ("SALLYPORT_ROTATION_AHEAD_DAYS", "91"),
        ("SALLYPORT_ROTATION_REGION", "us"),
    ],
)
def test_what_cannot_be_is_refused_by_name(key: str, value: str) -> None:
    with pytest.raises(chassis.env.ConfigError, match=key):
        config.load({**ENVIRON, **QUEUE, key: value})


@pytest.mark.parametrize("key", ["SALLYPORT_QUEUE_SECRET_ACCESS_KEY", "SALLYPORT_QUEUE_KEY"])
def test_a_key_in_the_environment_is_refused_T28(key: str) -> None:
    with pytest.raises(chassis.env.ConfigError, match="not a known key"):
        config.load({**ENVIRON, **QUEUE, key: "x"})
