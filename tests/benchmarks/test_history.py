"""The history of the engine's speed: its lines, how they are compared, and what pages quote; no test of speeds."""

import re
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.test_throughput import BENCHMARKS, ROOT, run
from zipo.shared.errors import InputError
from zipo.shared.locks import exclusive_lock

ROW = {
    "shape": "demo",
    "likelihood": "zip",
    "ratio": 3.0,
    "ratios": [1.0, 2.0, 3.0, 4.5, 9.0],
    "peak_mb": 300.0,
    "plain_peak_mb": 400.0,
    "cells_per_second": 6000.4,
    "plain_cells_per_second": 2000.0,
}


@pytest.fixture
def history(import_script):
    return import_script("history")


@pytest.fixture
def circumstances(history):
    return history.Circumstances("abc+", "2026-11-28", "A processor", 8, 2, "2.13.0")


@pytest.fixture
def line(history, circumstances):
    return history.line_of(ROW, circumstances)


def test_a_line_has_ratios_and_their_quartiles(line):
    assert (line.ratio_low, line.ratio, line.ratio_high) == tuple(np.quantile(ROW["ratios"], [0.25, 0.5, 0.75]))
    assert (line.rounds, line.memory_ratio, line.cells_per_second) == (5, 0.75, 6000)


def test_lines_are_read_as_they_were_appended_and_earlier_ones_stay_byte_by_byte(history, line, tmp_path):
    file = tmp_path / "history.tsv"
    others = [line, replace(line, shape="liver"), replace(line, ratio=2.5)]
    for number, each in enumerate(others):
        earlier = file.read_bytes() if number else b""
        assert history.append(each, file) == others[:number]
        assert file.read_bytes().startswith(earlier)
    assert history.read(file) == others
    assert [path.name for path in tmp_path.iterdir()] == ["history.tsv"]


def test_a_last_line_that_an_editor_left_without_its_end_stays_a_line(history, line, tmp_path):
    file = tmp_path / "history.tsv"
    history.append(line, file)
    file.write_text(file.read_text().rstrip("\n"))
    history.append(line, file)
    assert history.read(file) == [line, line]


def test_two_processes_lose_no_line_of_each_other(history, line, tmp_path):
    file = tmp_path / "history.tsv"
    history.append(line, file)
    with exclusive_lock(file.with_name("history.tsv.lock")):  # another process reads, and is about to write
        before = file.read_text()
        thread = threading.Thread(target=history.append, args=(replace(line, shape="myeloma"), file))
        thread.start()
        thread.join(0.2)
        file.write_text(before + before.splitlines()[1].replace("demo", "liver") + "\n")
    thread.join()
    assert [each.shape for each in history.read(file)] == ["demo", "liver", "myeloma"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\n1\t2\n", "its columns are a, b, where those of a history were expected, commit, date"),
        ("", "its columns are , where"),
        ("{columns}\n{line}\nabc\t2026\n", "line 3: no line of a history"),
        ("{columns}\n{line}x\n", "line 2: no line of a history"),
    ],
)
def test_another_table_is_refused_and_stays_as_it_is(history, line, tmp_path, text, message):
    good = tmp_path / "good.tsv"
    history.append(line, good)
    columns, written = good.read_text().splitlines()
    file = tmp_path / "history.tsv"
    file.write_text(text.format(columns=columns, line=written))
    before = file.read_bytes()
    with pytest.raises(InputError, match=re.escape(message)):
        history.append(line, file)
    assert file.read_bytes() == before


def test_throughput_refuses_another_table_before_it_measures(tmp_path):
    (tmp_path / "other.tsv").write_text("a\tb\n")
    command = [sys.executable, str(BENCHMARKS / "throughput.py"), "--history", str(tmp_path / "other.tsv")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: " in done.stderr
    assert "its columns are a, b" in done.stderr


def test_a_measurement_is_appended(history, tmp_path):
    file = tmp_path / "history.tsv"
    size = ("--shape", "demo", "--rounds", history.LEAST_ROUNDS, "--seconds", 0.01, "--threads", 1)
    printed = run("throughput.py", *size, "--history", file)
    (line,) = history.read(file)
    assert (line.shape, line.likelihood, line.threads, line.rounds) == ("demo", "zip", 1, history.LEAST_ROUNDS)
    assert line.ratio_low <= line.ratio <= line.ratio_high
    (ratio,) = re.findall(r"([\d.]+) times the speed", printed)
    assert float(ratio) == pytest.approx(line.ratio, abs=0.01)  # either is rounded
    assert "times plain PyTorch's speed, the first line of this machine" in printed


def test_a_fall_by_more_than_the_spread_is_said(history, line):
    steady = replace(line, ratio=4.0, ratio_low=3.9, ratio_high=4.2)
    slower = replace(steady, commit="def", ratio=3.6, ratio_low=3.5, ratio_high=3.7)
    assert history.compared(slower, [steady]) == (
        "demo, zip, 2 threads: the ratio to plain PyTorch's speed fell by more than its spread, "
        "from 4.00 (3.90 to 4.20; abc+, 2026-11-28) to 3.60 (3.50 to 3.70; def, 2026-11-28)"
    )
    # within the spread of either line, and faster
    for ratio, high in ((3.75, 3.7), (3.6, 3.95), (5.0, 5.1)):
        assert "fell" not in history.compared(replace(slower, ratio=ratio, ratio_high=high), [steady])
    assert "fell" not in history.compared(slower, [steady, slower])  # it is told once, not at each later line


@pytest.mark.parametrize(
    "other", [{"shape": "liver"}, {"threads": 1}, {"cores": 4}, {"processor": "Another"}, {"likelihood": "zinb"}]
)
def test_lines_of_other_machines_threads_and_shapes_are_not_compared(history, line, other):
    faster = replace(line, ratio=50.0, ratio_low=50.0, ratio_high=50.0)
    slow = replace(line, ratio_low=3.0, ratio_high=3.0)
    assert "fell" in history.compared(slow, [faster])
    assert history.compared(slow, [replace(faster, **other)]).endswith("the first line of this machine")


def test_another_torch_is_named(history, line):
    assert history.compared(line, [replace(line, torch="2.12.1")]).endswith("; torch was 2.12.1 and is 2.13.0")


def test_turns_that_differ_widely_are_remarked_on(history, circumstances, tmp_path, capsys):
    history.record(ROW, circumstances, tmp_path / "history.tsv")  # quartiles 2 and 4.5 around 3
    assert "demo: the turns differ widely" in capsys.readouterr().out
    history.record(ROW | {"ratios": [2.9, 2.9, 3.0, 3.1, 3.1]}, circumstances, tmp_path / "history.tsv")
    assert "widely" not in capsys.readouterr().out


def test_pages_quote_the_latest_lines_of_the_machine_measured_last(history, line):
    lines = [
        replace(line, ratio=1.0),
        replace(line, shape="liver", ratio=6.54, memory_ratio=0.5),
        replace(line, ratio=4.04),
        replace(line, likelihood="zinb", ratio=9.0),
    ]
    assert history.quoted([replace(line, threads=7, shape="myeloma"), *lines]) == [lines[2], lines[1]]
    assert history.sentence(history.quoted(lines)) == (
        "The engine trains at 4.0 (demo) and 6.5 (liver) times the speed of plain PyTorch,\n"
        "with 0.75 (demo) and 0.50 (liver) times its memory\n"
        "(A processor, 8 cores, 2 threads, torch 2.13.0; [how it is measured](benchmarks/README.md))."
    )
    assert "| liver | 6.5 | 2.0 to 4.5 | 50 % | 6,000 | abc+, 2026-11-28 |" in history.table(lines).splitlines()
    with pytest.raises(InputError, match="no line of zip yet"):
        history.quoted([replace(line, likelihood="zinb")])


def test_the_pages_say_what_the_latest_lines_hold(history):
    for page, made in history.pages(history.read(history.FILE)).items():
        text = page.read_text()
        assert history.with_tables(text, made) == text, "python benchmarks/history.py writes the page anew"


def test_no_page_quotes_a_ratio_beside_what_is_made_from_the_history():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "docs").glob("*.rst"))]
    for page in [*pages, BENCHMARKS / "README.md"]:
        text = re.sub(r"<!-- table \w+ -->.*?<!-- end -->", "", page.read_text(), flags=re.DOTALL)
        for each in re.split(r"(?<=[.:;])\s", " ".join(text.split())):
            assert not re.search(r"\d[\d.]* (times|x|%).*plain PyTorch|plain PyTorch.*\d[\d.]* (times|x|%)", each), each
