"""One-time codes of authenticator apps, against the standard's own values."""

from urllib.parse import parse_qs, urlsplit

import pytest

import chassis.crypto.otp
from chassis.secrecy import Secret

# Source: RFC 6238, appendix B (SHA-1), cut to six digits.
SECRET = Secret(b"12345678901234567890")
VECTORS = {
    59: "287082",
    1_111_111_109: "081804",
    1_111_111_111: "050471",
    1_234_567_890: "005924",
    2_000_000_000: "279037",
    20_000_000_000: "353130",
}


@pytest.mark.parametrize(("unix_s", "code"), VECTORS.items())
def test_codes_are_those_of_the_standard(unix_s: int, code: str) -> None:
    assert chassis.crypto.otp.code(SECRET, unix_s // 30) == code
    assert chassis.crypto.otp.match(SECRET, code, unix_s) == unix_s // 30


def test_a_code_is_good_from_the_step_before_its_own_to_the_step_after() -> None:
    code = chassis.crypto.otp.code(SECRET, 1_000)
    for unix_s in (999 * 30, 1_000 * 30, 1_001 * 30 + 29):
        assert chassis.crypto.otp.match(SECRET, code, unix_s) == 1_000


@pytest.mark.parametrize("steps_off", [-3, -2, 2, 3])
def test_a_code_of_another_minute_does_not_match(steps_off: int) -> None:
    code = chassis.crypto.otp.code(SECRET, 1_000)
    assert chassis.crypto.otp.match(SECRET, code, (1_000 + steps_off) * 30) is None


@pytest.mark.parametrize(
    "shown", ["", "00000", "0000000", "abcdef", "\uff12\uff18\uff17\uff10\uff18\uff12", "\udc80", "287082 "]
)
def test_what_is_no_code_matches_nothing(shown: str) -> None:
    assert chassis.crypto.otp.match(SECRET, shown, 59) is None


def test_the_address_for_apps_says_whose_and_for_whom_and_hides_itself_T28() -> None:
    address = chassis.crypto.otp.uri(SECRET, account="Ana Example", issuer="gateway.example")
    parts = urlsplit(address.reveal())
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/gateway.example:Ana%20Example")
    assert (query["secret"], query["issuer"]) == (["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], ["gateway.example"])
    assert (query["period"], query["digits"]) == (["30"], ["6"])
    assert "GEZDGN" not in repr(address)


def test_a_short_secret_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        chassis.crypto.otp.code(Secret(b"short"), 1)
