"""The page of the last run's tables."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.page import BEGIN, END, Page


def told(*lines: str) -> Page:
    page = Page()
    page.tell(lines)
    return page


def test_tables_take_the_place_of_those_before_and_leave_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    told("\n## New", "| a |").write_to(file)
    assert file.read_text() == f"before\n{BEGIN}\n\n## New\n| a |\n\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_without_one_place_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(ValueError, match="no place"):
        told("new").write_to(file)
    assert file.read_text() == text


def test_the_repositorys_page_has_its_place() -> None:
    page = Path(__file__).parents[3] / "docs" / "performance.md"
    assert "| new |" in told("| new |").replace_in(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["absent.md", "without-marks.md"])
def test_a_page_without_a_place_for_tables_is_refused_before_anything_is_measured(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "without-marks.md").write_text("# A page\n")
    monkeypatch.setattr("sys.argv", ["bench", "--page", str(tmp_path / name)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert name in capsys.readouterr().err
