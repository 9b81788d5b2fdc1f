"""The nine kinds, and what each edge makes of them."""

import grpc
import pytest

import chassis.errors

EXPECTED = {
    chassis.errors.InvalidInput: (400, "INVALID_ARGUMENT", "info", False),
    chassis.errors.Unauthenticated: (401, "UNAUTHENTICATED", "info", False),
    chassis.errors.Denied: (403, "PERMISSION_DENIED", "warning", False),
    chassis.errors.NotFound: (404, "NOT_FOUND", "info", False),
    chassis.errors.Gone: (410, "FAILED_PRECONDITION", "info", False),
    chassis.errors.Conflict: (409, "ABORTED", "info", False),
    chassis.errors.LimitExceeded: (429, "RESOURCE_EXHAUSTED", "info", True),
    chassis.errors.Unavailable: (503, "UNAVAILABLE", "warning", True),
    chassis.errors.Internal: (500, "INTERNAL", "error", False),
}


class UpgradeRequired(chassis.errors.InvalidInput):
    code = "upgrade_required"
    text = "This version is too old."
    http_status = 426


def test_every_kind_has_http_status_grpc_status_log_level_and_retry_rule() -> None:
    told = {
        kind: (kind.http_status, row.grpc_status, row.log_level, row.is_retryable)
        for kind, row in chassis.errors.KINDS.items()
    }
    assert told == EXPECTED


def test_the_table_holds_exactly_the_classes_directly_below_the_root() -> None:
    ours = {
        kind for kind in chassis.errors.SallyportError.__subclasses__() if kind.__module__ == "chassis.errors"
    }
    assert ours == set(chassis.errors.KINDS)


def test_grpc_statuses_exist_and_differ() -> None:
    names = [row.grpc_status for row in chassis.errors.KINDS.values()]
    assert len(set(names)) == len(names)
    assert all(name in grpc.StatusCode.__members__ for name in names)


def test_a_reason_refines_text_code_and_http_status_and_keeps_its_kind() -> None:
    error = UpgradeRequired()
    assert (error.code, error.text, error.http_status, str(error)) == (
        "upgrade_required",
        "This version is too old.",
        426,
        "This version is too old.",
    )
    assert chassis.errors.kind_of(error) is chassis.errors.InvalidInput


def test_one_occasion_may_say_more_without_changing_the_class() -> None:
    error = UpgradeRequired("Version 3 is the oldest.", retry_after_s=2.5)
    assert (error.text, str(error), error.retry_after_s) == (
        "Version 3 is the oldest.",
        "Version 3 is the oldest.",
        2.5,
    )
    assert UpgradeRequired.text == "This version is too old."


def test_an_error_without_a_kind_counts_as_internal() -> None:
    assert chassis.errors.kind_of(chassis.errors.SallyportError()) is chassis.errors.Internal


@pytest.mark.parametrize("kind", list(chassis.errors.KINDS))
def test_a_rebuilt_error_is_its_kind_with_the_code_and_text_of_the_other_side(
    kind: type[chassis.errors.SallyportError],
) -> None:
    error = chassis.errors.rebuild(
        kind.__name__, code="a_reason", text="A text.", http_status=418, retry_after_s=3.0
    )
    assert type(error) is kind
    assert (error.code, error.text, error.http_status, error.retry_after_s) == (
        "a_reason",
        "A text.",
        418,
        3.0,
    )
    assert kind.code != "a_reason"


def test_an_unknown_kind_from_another_version_is_rebuilt_as_internal() -> None:
    error = chassis.errors.rebuild("Teapot", code="teapot", text="T", http_status=418, retry_after_s=None)
    assert type(error) is chassis.errors.Internal
