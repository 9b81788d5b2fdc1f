"""Secrets hide, and credentials are taken out of free text."""

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.secrecy
from chassis.secrecy import HIDDEN, Secret

VALUE = "the-value-nobody-may-see"


@dataclasses.dataclass(frozen=True)
class Holder:
    key: Secret[str]


def test_a_secret_shows_nothing_in_any_text_T28() -> None:
    secret = Secret(VALUE)
    texts = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        "%s" % secret,  # noqa: UP031 - one of the ways text is made
    ]
    texts += [repr(Holder(secret)), repr([secret]), repr({"k": secret})]
    assert all(VALUE not in text and HIDDEN in text for text in texts)


def test_a_secret_stays_out_of_tracebacks_and_log_records(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(VALUE)
    error = ValueError(secret)
    logging.getLogger("library").error("failed with %s", secret, exc_info=error)
    assert VALUE not in "".join(traceback.format_exception(error))
    assert VALUE not in caplog.text


@pytest.mark.parametrize(
    "leak",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        hash,
        lambda secret: dataclasses.asdict(Holder(secret)),
    ],
)
def test_a_secret_is_not_copied_pickled_dumped_or_hashed_by_accident_T28(
    leak: Callable[[object], object],
) -> None:
    with pytest.raises(TypeError) as caught:
        leak(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_reveal_gives_the_value_back() -> None:
    assert Secret(VALUE).reveal() == VALUE


# With halves of characters too, which have no spelling in UTF-8.
values = st.text(st.characters()) | st.binary()


@given(values, values)
def test_secrets_are_equal_exactly_when_their_values_are(left: str | bytes, right: str | bytes) -> None:
    assert (Secret(left) == Secret(right)) is (type(left) is type(right) and left == right)
    assert Secret(left) == Secret(left)


def test_a_secret_never_equals_a_bare_value() -> None:
    assert Secret("a") != "a"
    assert Secret(1) == Secret(1)
    assert Secret(1) != Secret(2)
    assert Secret(1) != Secret("1")
    assert Secret(b"1") != Secret(1)


@pytest.mark.parametrize(
    "credential",
    [
        "Atza|IwEBIJk-abc_123",
        "Atzr|IwEBIJk-abc_123",
        "atzr|lowercase",
        "Atza%7CIwEBIJk",
        "Atz.sprdt|AYABeOI4n",
        "amzn1.oa2-cs.v1.0123456789abcdef",
        "sp_at_AbCdEfGhIjKlMnOp",
        "sp_rt_AbCdEfGhIjKlMnOp",
        "sp_ac_AbCdEfGhIjKlMnOp",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "token={}&x=1", '{{"a":"{}"}}', "Bearer {} end", "/path/{}"])
def test_anything_shaped_like_a_credential_is_taken_out_of_text_T28(credential: str, frame: str) -> None:
    scrubbed = chassis.secrecy.scrub(frame.format(credential))
    assert credential not in scrubbed
    assert credential[-6:] not in scrubbed
    assert HIDDEN in scrubbed


@pytest.mark.parametrize("credential", ["Atzr|abc", "amzn1.oa2-cs.v1.abc", "sp_ac_AbCdEfGh"])
@pytest.mark.parametrize("word", ["x", "code_", "?code%3D"])
def test_a_credential_is_taken_out_even_when_glued_to_a_word_T28(word: str, credential: str) -> None:
    assert chassis.secrecy.scrub(word + credential) == word + HIDDEN


def test_what_surrounds_a_credential_stays() -> None:
    assert chassis.secrecy.scrub("got Atza|abc, then left") == f"got {HIDDEN}, then left"


@given(st.text(alphabet=st.characters(exclude_characters="zZ_."), max_size=200))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert chassis.secrecy.scrub(text) == text
