"""Addresses of the internet, and those that only look like it."""

import pytest

from chassis.addresses import is_public, may_be_public


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("64:ff9b::5db8:d822", True),
        ("2600:1fa0::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("::ffff:93.184.216.34", True),
        ("2002:5db8:d822::1", True),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("::10.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("fec0::1", False),
        ("fe80::1%1", False),
        ("198.18.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_only_the_internets_addresses_are_public_T05(address: str, *, expected: bool) -> None:
    assert is_public(address) is expected


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match=r"s3\.amazonaws\.com"):
        is_public("s3.amazonaws.com")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("s3.amazonaws.com", True),
        ("localhost", True),
        ("93.184.216.34", True),
        ("127.0.0.1", False),
        ("::1", False),
    ],
)
def test_a_name_may_be_public_until_its_addresses_are_known(host: str, *, expected: bool) -> None:
    assert may_be_public(host) is expected
