import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import simulator.applications
import simulator.config
from simulator.applications import ApplicationsInvalid
from simulator.config import Listen

ROW = {
    "application_id": "amzn1.sellerapps.app.1",
    "client_id": "amzn1.application-oa2-client.1",
    "client_secret": "amzn1.oa2-cs.v1.very-secret",
    "redirect_uris": ["https://vendor.example/callback"],
}


def load(folder: Path, document: Any) -> simulator.applications.Applications:
    path = folder / "applications.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return simulator.applications.load(path)


def test_an_application_needs_four_fields_and_gets_sensible_others(tmp_path: Path) -> None:
    application = load(tmp_path, {"applications": [ROW]}).by_client(ROW["client_id"])  # type: ignore[arg-type]
    assert application is not None
    assert (application.name, application.log_in_uri, application.is_draft) == (
        ROW["application_id"],
        None,
        False,
    )
    assert application.elements == {"buyerInfo", "shippingAddress", "buyerTaxInformation"}
    assert not application.logs_in_always
    assert "very-secret" not in repr(application)


def test_roles_open_their_own_data_elements_only(tmp_path: Path) -> None:
    rows = [
        ROW | {"roles": ["direct_to_consumer_shipping"]},
        ROW | {"application_id": "2", "client_id": "2", "roles": ["tax_invoicing"]},
        ROW | {"application_id": "3", "client_id": "3", "roles": []},
    ]
    loaded = load(tmp_path, {"applications": rows})
    assert [sorted(application.elements) for application in loaded.all] == [
        ["buyerInfo", "shippingAddress"],
        ["buyerInfo", "buyerTaxInformation"],
        [],
    ]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[" * 10_000,
        [],
        {"applications": []},
        {"applications": {}},
        {"applications": ["x"]},
        {"applications": [ROW, ROW]},
        {"applications": [ROW | {"client_secret": ""}]},
        {"applications": [ROW | {"redirect_uris": []}]},
        {"applications": [ROW | {"redirect_uris": "https://x"}]},
        {"applications": [ROW | {"roles": ["everything"]}]},
        {"applications": [ROW | {"is_draft": "no"}]},
        {"applications": [ROW | {"logs_in_always": "no"}]},
        {"applications": [ROW | {"logs_in_always": True}]},
        {"applications": [ROW | {"secret_expires_at": "soon"}]},
        {"applications": [ROW | {"refresh_token": "x"}]},
    ],
)
def test_a_wrong_applications_file_is_refused_without_showing_secrets(tmp_path: Path, document: Any) -> None:
    with pytest.raises(ApplicationsInvalid) as refused:
        load(tmp_path, document)
    assert "very-secret" not in str(refused.value)


def test_an_absent_applications_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ApplicationsInvalid, match="cannot be read"):
        simulator.applications.load(tmp_path / "none.json")


def test_the_command_line_has_defaults_for_all_but_the_applications() -> None:
    config = simulator.config.parse(["--applications", "a.json"])
    assert config.listens == (Listen("127.0.0.1", 8_443),)
    assert config.control == Listen("127.0.0.1", 8_480)
    assert (config.seed, config.sellers_count, config.hostility_share, config.epoch) == (1, 4, 0.05, None)
    assert config.clock_file == config.state_folder / "clock"


def test_ports_can_serve_some_faces_only() -> None:
    arguments = ["--applications", "a", "--listen", "127.0.0.1:0=lwa", "--listen", "[::1]:99=consent,api"]
    config = simulator.config.parse(arguments)
    assert config.listens == (
        Listen("127.0.0.1", 0, frozenset({"lwa"})),
        Listen("::1", 99, frozenset({"consent", "api"})),
    )


def test_an_epoch_without_a_zone_is_utc() -> None:
    config = simulator.config.parse(["--show-world", "--epoch", "2026-01-05T08:00:00"])
    assert config.epoch == datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--applications", "a", "--listen", "8443"],
        ["--applications", "a", "--listen", "127.0.0.1:99999"],
        ["--applications", "a", "--listen", "127.0.0.1:1=web"],
        ["--applications", "a", "--control", "127.0.0.1:1=api"],
        ["--applications", "a", "--hostility", "cruel"],
        ["--applications", "a", "--sellers", "20001"],
        ["--applications", "a", "--epoch", "yesterday"],
        ["--applications", "a", "--seed", "one"],
        ["--applications", "a", "--unknown"],
    ],
)
def test_a_wrong_command_line_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        simulator.config.parse(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m simulator" in capsys.readouterr().err
