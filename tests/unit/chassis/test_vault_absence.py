"""What counts as absent in the key service: a key falsely taken for destroyed is a false proof (R-06)."""

import hvac.exceptions
import pytest

import chassis.vault.session


def test_a_404_without_errors_is_an_absence() -> None:
    assert chassis.vault.session._is_nothing_there(hvac.exceptions.InvalidPath(errors=[]))


@pytest.mark.parametrize(
    "text", ['no handler for route "transit/keys/x". route entry not found.', "unsupported path"]
)
def test_a_404_of_a_vault_that_is_not_fully_up_is_no_absence_R06(text: str) -> None:
    assert not chassis.vault.session._is_nothing_there(hvac.exceptions.InvalidPath(errors=[text]))
