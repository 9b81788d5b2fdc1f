"""What people type and what their authenticators say, for the pages over the fakes."""

import base64
import json

import chassis.crypto.otp
from fakes.gateway_people import TOTP_SECRET
from tests.unit.gateway.doors import Heard, House, Person

EMAIL, PASSWORD = "anna@blue-lamp.example", "Correct-Horse-7-Battery"
SIGN_IN, SECURITY = "/portal/sign-in", "/portal/security"


def code(house: House, steps_ahead: int = 0) -> str:
    """Return what the authenticator app shows now, or some steps later."""
    step = int(house.clock.now().timestamp()) // chassis.crypto.otp.STEP_S
    return chassis.crypto.otp.code(TOTP_SECRET, step + steps_ahead)


async def set_up_password(person: Person, **changes: str) -> Heard:
    """Set a password up, with some fields otherwise; return the answer."""
    begin, done = f"{SECURITY}/password/begin", f"{SECURITY}/password"
    security = await person.get(SECURITY)
    page = await person.post(begin, {"form_token": security.form_token(begin)})
    typed = {
        "email": EMAIL,
        "password": PASSWORD,
        "password_again": PASSWORD,
        "code": code(person.house),
    }
    return await person.post(done, {**page.hidden(done), **typed, **changes})


async def sign_in(person: Person, **changes: str) -> Heard:
    """Fill the sign-in form, with some fields otherwise; return the answer."""
    page = await person.get(SIGN_IN)
    typed = {"email": EMAIL, "password": PASSWORD, "code": code(person.house, 1)}
    return await person.post(SIGN_IN, {"form_token": page.form_token(SIGN_IN), **typed, **changes})


async def sign_out(person: Person) -> Heard:
    """Leave by the button on every page."""
    page = await person.get(SECURITY)
    return await person.post("/portal/sign-out", {"form_token": page.form_token("/portal/sign-out")})


async def answer_ceremony(person: Person, page: str, action: str, *, passkey_id: str, **more: str) -> Heard:
    """Do what the script does with the form for an action on a page; return the answer."""
    shown = await person.get(page)
    token = shown.begin_token(action)
    begun = await person.post(f"{action}/begin", {"form_token": token})
    told = json.loads(begun.body)
    kind = "webauthn.create" if action.startswith(SECURITY) else "webauthn.get"
    said = {"type": kind, "challenge": json.loads(told["options"])["challenge"]}
    encoded = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    credential = {"id": passkey_id, "response": {"clientDataJSON": encoded}}
    form = {
        "form_token": shown.form_token(action),
        "ceremony": told["ceremony"],
        "credential": json.dumps(credential),
        **more,
    }
    return await person.post(action, form)


async def register_passkey(person: Person, passkey_id: str = "pk-1", name: str = "Phone") -> Heard:
    """Add a passkey by the page of one's credentials."""
    action = f"{SECURITY}/passkeys"
    return await answer_ceremony(person, SECURITY, action, passkey_id=passkey_id, passkey_name=name)


async def sign_in_by_passkey(person: Person, passkey_id: str = "pk-1") -> Heard:
    """Sign in by a passkey."""
    return await answer_ceremony(person, SIGN_IN, f"{SIGN_IN}/passkey", passkey_id=passkey_id)
