"""Rotation as the simulated Amazon has it: who may ask, what becomes of secrets, what the queue is told."""

import json
from datetime import timedelta
from typing import Any

from tests.unit.simulator.rig import APPLICATION, BORN_AT, PLAIN, Rig, error

PATH = "/applications/2023-11-30/clientSecret"
ROTATION = "sellingpartnerapi::client_credential:rotation"
DAY = timedelta(days=1)


def own_token(rig: Rig, scope: str = ROTATION, **fields: Any) -> str:
    answer = rig.lwa(grant_type="client_credentials", scope=scope, **fields)
    token: str = answer.document()["access_token"]
    return token


def letters(rig: Rig) -> list[dict[str, Any]]:
    """Take every letter out of the queue."""
    found = rig.core.letters.receive(rig.clock.now(), count=10, visible_again_s=30)
    for letter in found:
        rig.core.letters.delete(letter.receipt)
    return [json.loads(letter.body) for letter in found]


def new_secret(rig: Rig) -> dict[str, str]:
    (letter,) = letters(rig)
    assert letter["notificationType"] == "APPLICATION_OAUTH_CLIENT_NEW_SECRET"
    content: dict[str, str] = letter["payload"]["applicationOAuthClientNewSecret"]
    return content


def test_a_rotation_answers_nothing_and_writes_the_new_secret_to_the_queue() -> None:
    rig = Rig()
    answer = rig.post(PATH, own_token(rig), None)
    assert (answer.status, answer.body) == (204, b"")
    content = new_secret(rig)
    assert content["clientId"] == APPLICATION.client_id
    assert content["newClientSecretExpiryTime"] == "2026-07-04T08:00:00.000Z"
    assert content["oldClientSecretExpiryTime"] == "2026-01-12T08:00:00.000Z"
    own_token(rig, client_secret=content["newClientSecret"])


def test_the_old_secret_works_for_seven_more_days() -> None:
    rig = Rig()
    rig.post(PATH, own_token(rig), None)
    new = new_secret(rig)["newClientSecret"]
    rig.clock.advance(days=6)
    own_token(rig)
    rig.clock.advance(days=1)
    assert rig.lwa(grant_type="client_credentials", scope=ROTATION).status == 401
    rig.clock.advance(days=173)
    refused = rig.lwa(grant_type="client_credentials", scope=ROTATION, client_secret=new)
    assert refused.document()["error"] == "invalid_client"


def test_only_the_applications_own_token_of_the_scope_rotates() -> None:
    rig = Rig()
    for token in ("", rig.access(), own_token(rig, "sellingpartnerapi::notifications"), "Atza|unknown"):
        refused = rig.post(PATH, token, None)
        assert (refused.status, error(refused)["code"]) == (403, "Unauthorized")
    late = own_token(rig)
    rig.clock.advance(hours=1)
    assert rig.post(PATH, late, None).status == 403
    assert letters(rig) == []


def test_who_is_not_enrolled_is_told_so_and_keeps_the_secret() -> None:
    rig = Rig()
    rig.controls.enrol(APPLICATION.application_id, {"is_enrolled": False})
    refused = rig.post(PATH, own_token(rig), None)
    assert (refused.status, error(refused)["code"]) == (400, "InvalidInput")
    assert "not enrolled" in error(refused)["message"]
    assert letters(rig) == []
    rig.controls.enrol(APPLICATION.application_id, {"is_enrolled": True})
    assert rig.post(PATH, own_token(rig), None).status == 204


def test_one_rotation_a_minute() -> None:
    rig = Rig(has_real_plans=True)
    token = own_token(rig)
    assert [rig.post(PATH, token, None).status for _ in range(2)] == [204, 429]
    rig.clock.advance(seconds=60)
    assert rig.post(PATH, token, None).status == 204


def test_a_lost_answer_has_rotated_all_the_same() -> None:
    rig = Rig()
    token = own_token(rig)
    rig.controls.script_fault(
        {"operation": "application_2023-11-30.rotateApplicationClientSecret", "kind": "lost"}
    )
    assert rig.post(PATH, token, None).status == 503
    assert new_secret(rig)["newClientSecret"]


def test_a_rotation_survives_a_restart_and_its_letter_does_not() -> None:
    rig = Rig()
    rig.post(PATH, own_token(rig), None)
    again = Rig(journal=rig.journal, clock=rig.clock)
    assert len(again.controls.secrets(APPLICATION.application_id)["secrets"]) == 2
    assert letters(again) == []


def test_dates_of_both_secrets_are_shown_and_the_secrets_are_not_T06() -> None:
    rig = Rig()
    rig.post(PATH, own_token(rig), None)
    content = new_secret(rig)
    shown = rig.controls.secrets(APPLICATION.application_id)
    assert shown == {
        "is_enrolled": True,
        "secrets": [
            {"made_at": BORN_AT.isoformat(), "works_until": (BORN_AT + 180 * DAY).isoformat()},
            {"made_at": None, "works_until": (BORN_AT + 7 * DAY).isoformat()},
        ],
    }
    assert content["newClientSecret"] not in str(rig.journal.events)
    assert len(rig.controls.secrets(PLAIN.application_id)["secrets"]) == 1


def test_reminders_begin_90_days_before_the_end() -> None:
    rig = Rig()
    rig.controls.rotate_secret(APPLICATION.application_id, {"client_secret": "amzn1.oa2-cs.v1.by-hand"})
    for days, reminders in ((89, 0), (1, 1), (1, 0), (29, 1), (60, 0)):
        rig.clock.advance(days=days)
        rig.core.client_secrets.remind(rig.clock.now())
        found = letters(rig)
        assert len(found) == reminders
        for letter in found:
            content = letter["payload"]["applicationOAuthClientSecretExpiry"]
            assert content["clientSecretExpiryTime"] == "2026-07-04T08:00:00.000Z"
            assert content["clientSecretExpiryReason"] == "PERIODIC_ROTATION"


def test_letters_come_twice_at_times_R28() -> None:
    rig = Rig(hostility=0.05)
    copies = []
    for _ in range(20):
        rig.core.client_secrets.rotate(APPLICATION, rig.clock.now())
        copies.append(len(letters(rig)))
    assert set(copies) == {1, 2}
