import os
from pathlib import Path

from sallyport.bench.processor import read, spent_ns


def add_process(proc: Path, pid: int, parent: int, **threads_ns: int) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (a (name) with ) signs) S {parent} 1 1 0 -1")
    for thread, ran_ns in threads_ns.items():
        place = folder / "task" / thread.removeprefix("t")
        place.mkdir(parents=True)
        (place / "schedstat").write_text(f"{ran_ns} 999 7\n")


def test_children_and_threads_count_and_strangers_do_not(tmp_path: Path) -> None:
    (tmp_path / "uptime").write_text("1 2")
    add_process(tmp_path, 10, 1, t10=100, t11=20)
    add_process(tmp_path, 20, 10, t20=3)
    add_process(tmp_path, 30, 20, t30=4)
    add_process(tmp_path, 40, 1, t40=5_000)
    assert read([10], tmp_path) == {"10": 100, "11": 20, "20": 3, "30": 4}


def test_a_process_that_has_ended_has_no_reading(tmp_path: Path) -> None:
    (tmp_path / "10").mkdir()
    assert read([10], tmp_path) == {}


def test_time_between_readings_includes_new_threads_and_leaves_out_ended_ones() -> None:
    assert spent_ns({"1": 100, "2": 50}, {"1": 160, "3": 7}) == 67


def test_a_running_process_is_read_from_the_kernel() -> None:
    assert read([os.getpid()])[str(os.getpid())] > 0
