"""What the portal takes for a secret of its own in a cookie."""

import base64

from hypothesis import example, given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from services.auth.model.words import SESSION_PREFIX, TOKEN_BYTES, token
from services.gateway.web import cookies
from services.gateway.web.arrivals import BROWSER_SECRET_BYTES
from wire.auth.v1 import auth_pb2


@given(chance=st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
def test_every_session_token_of_auths_is_read_back(chance: bytes) -> None:
    made = token(SESSION_PREFIX, chance)
    assert cookies.read_secret(made) == Secret(made)


@given(chance=st.binary(min_size=BROWSER_SECRET_BYTES, max_size=BROWSER_SECRET_BYTES))
def test_every_secret_of_a_browser_without_a_session_is_read_back(chance: bytes) -> None:
    made = base64.urlsafe_b64encode(chance).decode("ascii")
    assert cookies.read_secret(made) == Secret(made)


@given(kept=st.binary(max_size=300).map(lambda sent: sent.decode("utf-8", "surrogateescape")) | st.text())
@example(kept="sp_se_\udcff")
@example(kept="sp_se_\r\n")
def test_whatever_a_cookie_holds_it_is_no_secret_or_one_that_auth_can_be_asked_about(kept: str) -> None:
    """Header bytes that are no UTF-8 come as lone surrogates, which no message to a peer can carry."""
    secret = cookies.read_secret(kept)
    if secret is not None:
        assert secret.reveal().isascii()
        assert secret.reveal().isprintable()
        auth_pb2.FindSessionRequest(session_token=secret.reveal())
