import pytest

from sallyport.bench.figures import NOT_INSTALLED, Series, ratio, table


def test_a_series_shows_its_median_and_its_spread() -> None:
    series = Series((30.0, 10.0, 20.0))
    assert (series.median, series.spread) == (20.0, (10.0, 30.0))
    assert str(series) == "20 (10 to 30)"


def test_where_no_round_differs_there_is_no_spread_to_show() -> None:
    assert str(Series((1.2345,))) == str(Series((1.2345, 1.2345))) == "1.23"


def test_a_series_without_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one round"):
        Series(())


def test_ratios_are_taken_round_by_round() -> None:
    """Both sides of a round share its noise, so the ratio of the medians would say something else."""
    mine, theirs = Series((10.0, 40.0, 30.0)), Series((100.0, 80.0, 10.0))
    assert mine.over(theirs).values == (0.1, 0.5, 3.0)
    assert ratio(mine, theirs) == "0.5 (0.1 to 3)"


def test_rounds_of_different_runs_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        Series((1.0,)).over(Series((1.0, 2.0)))


def test_a_missing_peer_is_shown_as_missing() -> None:
    assert ratio(None, Series((1.0,))) == ratio(Series((1.0,)), None) == NOT_INSTALLED


def test_a_table_is_markdown_with_numbers_to_the_right() -> None:
    lines = list(table("Title", ("", "rows/s"), [("ours", str(Series((12_345.0,))))]))
    assert lines == ["\n## Title\n", "|  | rows/s |", "| --- | ---: |", "| ours | 12,345 |"]
