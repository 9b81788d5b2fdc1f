"""`sallyport policy`: what an operator learns about a policy file before a gateway follows it."""

import json
import re
from pathlib import Path

import pytest

from sallyport.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "policy.md"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    made = tmp_path / "policy.toml"
    made.write_text(found[1])
    return made


def test_a_good_file_is_said_to_be_good(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", str(file)]) == 0
    assert "a gateway would follow this file; 0 warnings; SHA-256 " in capsys.readouterr().out


def test_warnings_are_told_and_change_no_exit_code(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace("sellerWallet_2024-03-01", "sellerWallet"))
    assert main(["policy", "check", str(file)]) == 0
    assert f"{file}: warning: line 2, deny: 'sellerWallet.*' names no operation" in capsys.readouterr().out


def test_a_bad_file_is_told_with_its_places(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace("version = 1", "version = 3"))
    assert main(["policy", "check", str(file)]) == 1
    out = capsys.readouterr().out
    assert f"{file}: line 1, version: must be 1" in out
    assert "1 problem: a gateway would not follow this file" in out


def test_the_finding_is_one_json_object_when_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "--json", str(file)]) == 0
    good = json.loads(capsys.readouterr().out)
    assert (good["is_valid"], good["problems"], good["warnings"]) == (True, [], [])
    file.write_text("version = 1\n")
    assert main(["policy", "check", "--json", str(file)]) == 1
    bad = json.loads(capsys.readouterr().out)
    assert bad["problems"][0]["key"] == "allow"


@pytest.mark.parametrize("task", [["check"], ["show", "--operation", "*"]])
def test_a_file_that_is_not_there_could_not_be_tried(tmp_path: Path, task: list[str]) -> None:
    assert main(["policy", *task, str(tmp_path / "none.toml")]) == 2


def test_what_a_device_sees_is_shown_by_class(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--operation", "ordersV0.getOrders", "--scopes", "orders,pii", "--purpose", "shipping"]
    assert main(["policy", "show", str(file), *asked]) == 0
    out = capsys.readouterr().out
    assert re.search(r"name +full", out)
    assert re.search(r"email +dropped", out)
    assert "a restricted one for this operation with buyerInfo, shippingAddress" in out
    assert main(["policy", "show", str(file), "--operation", "ordersV0.getOrders"]) == 0
    assert "not asked of Amazon: buyerInfo, buyerTaxInformation, shippingAddress" in capsys.readouterr().out


def test_whether_personal_documents_are_given_is_shown(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["policy", "show", str(file), "--operation", "reports_2021-06-30.getReportDocument"]
    assert main(asked) == 0
    assert "links to personal documents are refused" in capsys.readouterr().out
    assert main([*asked, "--scopes", "orders,pii"]) == 0
    assert "links to personal documents are given" in capsys.readouterr().out


def test_what_calls_may_use_of_the_sellers_plan_is_shown(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["policy", "show", str(file), "--operation", "sellers.getMarketplaceParticipations"]
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "bulk calls use at most 80% of the plan, a device 50%" in out
    assert "interactive calls" not in out
    assert main([*asked, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["share_of_device"] == {"interactive": 1.0, "bulk": 0.5}


def test_a_refusal_is_shown_with_its_code(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show", str(file), "--operation", "sellerWallet*", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["refused"] for row in rows} == {"operation_not_open"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--operation", "nothing"], "no operation is named 'nothing'"),
        (["--operation", "*", "--scopes", "tax"], "no device has the scope 'tax'; there are orders, pii"),
        (["--operation", "*", "--purpose", "fun"], "the policy knows no purpose 'fun'"),
    ],
)
def test_what_there_is_not_is_said(
    file: Path, asked: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "show", str(file), *asked]) == 1
    assert told in capsys.readouterr().err


def test_a_file_that_cannot_be_followed_is_not_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("version = 1\n")
    assert main(["policy", "show", str(file), "--operation", "*"]) == 1
    assert "policy check" in capsys.readouterr().err
