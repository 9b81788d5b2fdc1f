"""Rules that need nobody else. Numbers are repeated here, so that changing one is a decision."""

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from services.auth.config import PACKAGED_MARKETPLACES
from services.auth.model import consents, devices, lending, people, restricted, tokens, turns, words
from services.auth.model.consents import Region
from services.auth.service import lockout


@pytest.mark.parametrize(
    ("life", "promised"),
    [
        (people.SESSION_LIFE, timedelta(hours=12)),
        (people.INVITATION_LIFE, timedelta(hours=24)),
        (consents.STATE_LIFE, timedelta(minutes=10)),
        (consents.CONSENT_LIFE, timedelta(days=365)),
        (consents.CONSENT_IDLE_MAX, timedelta(days=90)),
        (devices.DEVICE_IDLE_MAX, timedelta(days=90)),
        (devices.CODE_LIFE, timedelta(seconds=60)),
        (tokens.ACCESS_LIFE, timedelta(seconds=3600)),
    ],
)
def test_things_live_as_long_as_promised(life: timedelta, promised: timedelta) -> None:
    assert life == promised


def test_limits_are_as_promised() -> None:
    assert tokens.RETRY_S_MAX == 10.0
    assert (lending.RENEW_EARLY_S_MIN, lending.RENEW_EARLY_S_MAX) == (300.0, 900.0)
    assert lending.LEASE_S < 30.0
    assert (lockout.FAILURES_MAX, restricted.RESTRICTIONS_MAX) == (10, 50)


def test_a_lease_outlasts_all_that_happens_under_it_R09() -> None:
    assert turns.CALLER_WAIT_S_MAX + 1.0 < lending.ASK_S_MAX
    assert lending.ASK_S_MAX + lending.AMAZON_TIMEOUT_S_MAX < lending.LEASE_S - 3.0
    assert lending.SETTLE_ATTEMPTS_MAX * lending.SETTLE_PAUSE_S < 3.0
    assert lending.WAITS_MAX * lending.WAIT_S_MIN >= 15.0


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:1/",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:49152/a/b.c",
        "http://127.0.0.1:49152",
    ],
)
def test_loopback_redirects_are_taken_T04(redirect_uri: str) -> None:
    assert devices.is_loopback(redirect_uri)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        "https://127.0.0.1:49152/",
        "http://localhost:49152/",
        "http://127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:port/",
        "http://127.0.0.2:49152/",
        "http://127.0.0.1.evil.example:49152/",
        "http://user@127.0.0.1:49152/",
        "http://:word@127.0.0.1:49152/",
        "http://evil.example:80@127.0.0.1:49152/",
        "http://127.0.0.1:49152@evil.example/",
        "http://127.0.0.1:49152/?a=b",
        "http://127.0.0.1:49152/#part",
        "http://127.0.0.1:49152\\@evil.example/",
        "http://127.0.0.1:49152/\r\nLocation: x",
        "http://127.0.0.1:49152/ä",
        "http://[::1:49152/",
        "http://[::ffff:127.0.0.1]:49152/",
        "http://2130706433:49152/",
        "javascript:alert(1)",
        "http://127.0.0.1:49152/" + "x" * 256,
    ],
)
def test_every_other_redirect_is_refused_T04(redirect_uri: str) -> None:
    assert not devices.is_loopback(redirect_uri)


@given(st.text())
def test_no_text_makes_a_check_stumble_T10(text: str) -> None:
    judged = (
        devices.is_loopback(text),
        words.is_id(text),
        words.is_token(text, words.ACCESS_PREFIX),
        devices.matches_challenge(Secret(text), text),
    )
    assert {type(each) for each in judged} == {bool}


@given(st.from_regex(r"\A[A-Za-z0-9._~-]{43,128}\Z"))
def test_a_verifier_fits_its_own_challenge_only_T04(verifier: str) -> None:
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert devices.matches_challenge(Secret(verifier), challenge)
    assert not devices.matches_challenge(Secret(verifier[::-1] + "x"), challenge)


def test_the_rfcs_own_verifier_fits_its_challenge() -> None:
    """Source: RFC 7636, appendix B."""
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert devices.matches_challenge(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


@given(st.binary(min_size=32, max_size=32))
def test_a_token_has_its_prefix_and_32_bytes(chance: bytes) -> None:
    token = words.token(words.REFRESH_PREFIX, chance)
    assert len(token) == 49
    assert words.is_token(token, words.REFRESH_PREFIX)
    assert not words.is_token(token, words.ACCESS_PREFIX)


def test_the_marketplace_table_has_all_23_with_their_regions() -> None:
    rows = json.loads(PACKAGED_MARKETPLACES.read_text())
    regions = [row["region"] for row in rows]
    assert len({row["marketplace_id"] for row in rows}) == 23
    assert [regions.count(region) for region in (Region.NA, Region.EU, Region.FE)] == [4, 16, 3]
    assert all(row["seller_host"].startswith("sellercentral") for row in rows)
    assert all(row.get("vendor_host", "vendorcentral").startswith("vendorcentral") for row in rows)
    without = [row["country"] for row in rows if "vendor_host" not in row]
    assert without == ["IE", "SA", "ZA"], "no source names Vendor Central there"
