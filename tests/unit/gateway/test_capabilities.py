"""Capabilities: only ours open, only for what they are for, only while they live."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import chassis.clock
import chassis.vault
from chassis.secrecy import Secret
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from services.gateway.capabilities import CAPABILITY_CHARS_MAX, Capabilities
from services.gateway.model.documents import (
    CAPABILITY_S_MAX,
    DOWNLOAD,
    UPLOAD,
    Capability,
    DocumentClass,
    DocumentEnded,
    DocumentUnknown,
)
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.shared_key import KEY_S_MAX, SharedKey

KEY = Secret(b"d" * 32)
SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=300&X-Amz-Signature=" + 64 * "0"
URL = f"https://tortuga-prod-na.s3-external-1.amazonaws.com/doc?{SIGNED}"
CAPABILITY = Capability(
    url=Secret(URL),
    method=DOWNLOAD,
    content_type="",
    headers=(),
    operation="reports_2021-06-30.getReportDocument",
    purpose="shipping",
    document_class=DocumentClass.PERSONAL,
    device_id="device-1",
    seller_id="seller-1",
    scopes=frozenset({"orders", "pii"}),
    access_token=Secret("sp_at_" + "a" * 43),
    order_id="114-3941689-8772232",
)


def capabilities_for(clock: chassis.clock.Clock, key: Secret[bytes] = KEY) -> Capabilities:
    shared = SharedKey(clock)
    shared.learn(key)
    return Capabilities(key=shared, clock=clock, origin="https://gateway.example")


def test_any_replica_opens_what_another_sealed() -> None:
    clock = FakeClock()
    opened = capabilities_for(clock).open(capabilities_for(clock).seal(CAPABILITY), DOWNLOAD)
    assert opened == CAPABILITY


HEADERS = st.tuples(st.sampled_from(["content-md5", "x-amz-meta-a"]), st.integers(1, 1_024).map("a".__mul__))


@given(more_chars=st.integers(0, 9_000), headers=st.lists(HEADERS, max_size=16))
@example(more_chars=0, headers=[("x-amz-meta-a", "a" * 1_024)] * 16)
def test_what_is_sealed_opens_as_it_was_however_much_there_is_of_it(
    more_chars: int, headers: list[tuple[str, str]]
) -> None:
    both = capabilities_for(FakeClock())
    url = Secret(URL + "a" * more_chars)
    upload = replace(CAPABILITY, url=url, method=UPLOAD, content_type="text/xml", headers=tuple(headers))
    try:
        spelled = both.seal(upload)
    except UpstreamInvalid:
        assert len(url.reveal()) + sum(len(value) for _, value in headers) > 8_000
        return
    assert both.open(spelled, UPLOAD) == upload


def test_what_a_replica_sealed_before_orders_were_told_still_opens() -> None:
    sealed = (
        "Aab2PYuuJpRVlCBx7kNp4eB86ixY-d_8cUmz5ql26urcYtBAogPFL_8Pw2ioGz8hyaMNM5mpl5WgP5sygbbZoYnKSMJJkw47Sj1Z"
        "_PjK5KCJaSbWVeczLc1kSuPupsQ2F0AaDvk9L7rT5oMIrjDaKX78QFUZdSZG3qdIHTo7W_HLNbe2psQqpSAfVw_BnRDf7kbq6piY"
        "LaplpX8YbuSQnWsCNtvZMFyK0f_LlU-LWFQME485dJKheNvv4qwX-qwl76A1K8DLcw"
    )
    assert capabilities_for(FakeClock()).open(sealed, DOWNLOAD) == replace(CAPABILITY, order_id="")


@given(st.data())
def test_any_altered_character_is_unknown_T11(data: st.DataObject) -> None:
    both = capabilities_for(FakeClock())
    spelled = both.seal(CAPABILITY)
    at = data.draw(st.integers(0, len(spelled) - 1))
    other = data.draw(st.characters().filter(lambda character: character != spelled[at]))
    with pytest.raises(DocumentUnknown):
        both.open(spelled[:at] + other + spelled[at + 1 :], DOWNLOAD)


@given(st.text(max_size=200))
def test_what_is_guessed_is_unknown_T11(guess: str) -> None:
    with pytest.raises(DocumentUnknown):
        capabilities_for(FakeClock()).open(guess, DOWNLOAD)


def test_what_is_cut_or_lengthened_is_unknown_T11() -> None:
    both = capabilities_for(FakeClock())
    spelled = both.seal(CAPABILITY)
    for altered in (spelled[:-1], spelled[1:], spelled + "A", spelled + "=", "", "A" * 100_000):
        with pytest.raises(DocumentUnknown):
            both.open(altered, DOWNLOAD)


@pytest.mark.parametrize(("given_for", "used_for"), [(DOWNLOAD, UPLOAD), (UPLOAD, DOWNLOAD)])
def test_what_is_for_one_method_is_unknown_to_the_other(given_for: str, used_for: str) -> None:
    both = capabilities_for(FakeClock())
    with pytest.raises(DocumentUnknown):
        both.open(both.seal(replace(CAPABILITY, method=given_for)), used_for)


def test_after_a_change_of_key_older_capabilities_are_unknown() -> None:
    clock = FakeClock()
    spelled = capabilities_for(clock).seal(CAPABILITY)
    with pytest.raises(DocumentUnknown):
        capabilities_for(clock, Secret(b"o" * 32)).open(spelled, DOWNLOAD)


def test_it_lives_for_five_minutes_and_no_longer() -> None:
    clock = FakeClock()
    spelled = capabilities_for(clock).seal(CAPABILITY)
    clock.pass_(CAPABILITY_S_MAX - 1)
    assert capabilities_for(clock).open(spelled, DOWNLOAD) == CAPABILITY
    clock.pass_(1)
    assert CAPABILITY_S_MAX == 300
    with pytest.raises(DocumentEnded):
        capabilities_for(clock).open(spelled, DOWNLOAD)


@pytest.mark.parametrize(("skew_s", "is_taken"), [(-61, False), (-60, True), (60, True), (300, False)])
def test_a_replica_with_another_clock_takes_it_within_bounds_R14(skew_s: int, *, is_taken: bool) -> None:
    other = capabilities_for(FakeClock(START + timedelta(seconds=skew_s)))
    spelled = capabilities_for(FakeClock()).seal(CAPABILITY)
    if is_taken:
        assert other.open(spelled, DOWNLOAD) == CAPABILITY
        return
    with pytest.raises(DocumentEnded):
        other.open(spelled, DOWNLOAD)


def test_without_a_fresh_key_nothing_is_sealed_or_opened_R06() -> None:
    clock = FakeClock()
    both = capabilities_for(clock)
    spelled = both.seal(CAPABILITY)
    clock.pass_(KEY_S_MAX + 1)
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        both.open(spelled, DOWNLOAD)
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        both.seal(CAPABILITY)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", min_size=2_000, max_size=2_500)
)
def test_the_longest_links_of_amazons_fit_in_a_requests_line(token: str) -> None:
    both = capabilities_for(FakeClock())
    spelled = both.seal(replace(CAPABILITY, url=Secret(f"{URL}&X-Amz-Security-Token={token}")))
    assert len(f"GET /_doc/{spelled} HTTP/1.1\r\n") <= 8_190


def test_a_link_that_would_not_fit_is_refused() -> None:
    noise = FakeEntropy(1).token(7_000).hex()
    with pytest.raises(UpstreamInvalid):
        capabilities_for(FakeClock()).seal(replace(CAPABILITY, url=Secret(noise)))
    assert CAPABILITY_CHARS_MAX == 8_000


def test_nothing_of_it_shows_T28() -> None:
    spelled = capabilities_for(FakeClock()).seal(CAPABILITY)
    for shown in (repr(CAPABILITY), spelled):
        assert "tortuga" not in shown
        assert "sp_at_" not in shown
