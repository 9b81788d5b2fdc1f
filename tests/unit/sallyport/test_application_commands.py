"""The verbs about an application: what is typed, what is shown, and what a script can trust."""

import argparse
import getpass
import io
from datetime import UTC, datetime, timedelta

import pytest

import sallyport.application.commands
import sallyport.cli
from sallyport.application import forms, prompt
from wire.auth.v1 import applications_pb2

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def secret(**changes: object) -> applications_pb2.SecretDates:
    facts = {
        "secret_id": "one",
        "origin": "queue",
        "kept_at": NOW,
        "expires_at": NOW + 180 * DAY,
        "accepted_at": NOW,
        "days_left": 179.6,
    }
    return applications_pb2.SecretDates(**facts | changes)  # type: ignore[arg-type]


def details(
    *secrets: applications_pb2.SecretDates, **rotation: object
) -> applications_pb2.ApplicationDetails:
    told = {"is_heard": True, "due_at": NOW + 150 * DAY} | rotation
    return applications_pb2.ApplicationDetails(
        application_id="amzn1.sellerapps.app.1",
        client_id="amzn1.application-oa2-client.1",
        secrets=secrets,
        rotation=applications_pb2.SecretRotation(**told),  # type: ignore[arg-type]
    )


def test_an_application_is_shown_with_both_secrets_dates() -> None:
    older = secret(
        secret_id="two",
        origin="pasted",
        expires_at=NOW + 7 * DAY,
        days_left=6.5,
        destroyed_at=NOW + 7 * DAY,
    )
    assert list(forms.lines(details(secret(), older, asked_at=NOW))) == [
        "application  amzn1.sellerapps.app.1",
        "client       amzn1.application-oa2-client.1",
        "draft        no",
        "newest       ends 2027-05-21, in 180 days",
        "             came by the queue 2026-11-22, accepted by Amazon since 2026-11-22",
        "             id one",
        "older        ends 2026-11-29, in 7 days",
        "             pasted 2026-11-22, accepted by Amazon since 2026-11-22",
        "             destroyed here after 2026-11-29, once Amazon accepts the newest",
        "             id two",
        "rotation     by itself from 2027-04-21 on; asked 2026-11-22 12:00 UTC",
    ]


def test_what_is_not_known_or_not_well_is_said() -> None:
    estimated = secret(is_estimated=True, days_left=0.3, origin="registered")
    estimated.ClearField("accepted_at")
    shown = "\n".join(
        forms.lines(
            details(
                estimated,
                is_heard=False,
                asked_at=NOW + DAY,
                refused_at=NOW + 2 * DAY,
                refusal="rotation_not_enrolled",
            )
        )
    )
    assert "in 1 day at the latest, since nobody stated its date" in shown
    assert "not seen to be accepted by Amazon yet" in shown
    assert "not by itself: no queue is configured (docs/client-secrets.md)" in shown
    assert "asked 2026-11-23 12:00 UTC, nothing arrived yet" in shown
    assert "refused 2026-11-24 12:00 UTC: rotation_not_enrolled" in shown
    assert "ended 2027-05-21, 3 days ago" in "\n".join(forms.lines(details(secret(days_left=-2.5))))


def test_scripts_get_times_and_nulls() -> None:
    document = forms.document(details(secret()))
    assert document["secrets"][0]["accepted_at"] == "2026-11-22T12:00:00+00:00"
    assert document["secrets"][0]["destroyed_at"] is None
    assert document["rotation"] == {
        "is_heard": True,
        "due_at": "2027-04-21T12:00:00+00:00",
        "asked_at": None,
        "refused_at": None,
        "refusal": None,
    }


def test_a_secret_is_read_from_a_pipe_without_its_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("  amzn1.oa2-cs.v1.piped \nanother line\n"))
    assert prompt.read_secret("? ").reveal() == "amzn1.oa2-cs.v1.piped"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(prompt.NothingGiven):
        prompt.read_secret("? ")


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_bytes_that_are_no_text_are_no_secret(errors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python keeps them in a `C` locale, and raises in every other."""
    piped = io.TextIOWrapper(io.BytesIO(b"hunter2\xff\n"), encoding="utf-8", errors=errors)
    monkeypatch.setattr("sys.stdin", piped)
    with pytest.raises(prompt.NothingGiven, match="it is no text") as refused:
        prompt.read_secret("? ")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_who_ends_the_input_at_the_question_gave_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal Ctrl-D ends it, which is an error of its own to who reads without echo."""

    def end(_question: str) -> str:
        raise EOFError

    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr(getpass, "getpass", end)
    with pytest.raises(prompt.NothingGiven):
        prompt.read_secret("? ")


def test_a_secret_given_as_an_argument_is_refused_and_not_repeated_T28(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (["paste", "amzn1.oa2-cs.v1.typed"], ["rotate", "--wait=amzn1.oa2-cs.v1.typed"]):
        with pytest.raises(SystemExit) as left:
            sallyport.cli.main(["application", "secret", *arguments])
        assert left.value.code == 2
    shown = capsys.readouterr()
    assert "oa2-cs" not in shown.out + shown.err
    assert "Secret(***)" in shown.err


def test_no_verb_takes_a_secret_as_an_argument_T28() -> None:
    parser = argparse.ArgumentParser()
    sallyport.application.commands.add_commands(parser.add_subparsers(required=True))
    with pytest.raises(SystemExit):
        parser.parse_args(["application", "register", "--client-secret", "x"])


@pytest.mark.parametrize("task", [["show"], ["secret", "rotate"], ["secret", "paste"]])
def test_without_a_configuration_nothing_is_tried(
    task: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sallyport.cli.main(["application", *task, "--state-folder", "/nonexistent"]) == 2
    assert capsys.readouterr().err.startswith("sallyport application: ")


@pytest.mark.parametrize(
    "arguments",
    [["secret", "rotate", "--wait-s", "0"], ["secret", "paste", "--expires-at", "tomorrow"], ["secret"]],
)
def test_a_wrong_command_line_exits_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        sallyport.cli.main(["application", *arguments])
    assert left.value.code == 2


def test_no_answer_holds_a_secret_T06() -> None:
    service = applications_pb2.DESCRIPTOR.services_by_name["ApplicationAdmin"]
    answers, names = [method.output_type for method in service.methods], []
    while answers:
        answer = answers.pop()
        for field in answer.fields:
            names.append(field.name)
            if field.message_type is not None and field.message_type.full_name.startswith("sallyport."):
                answers.append(field.message_type)
    assert "secret_id" in names
    assert [name for name in names if "secret" in name and name not in {"secret_id", "secrets"}] == []
