"""The tutorial: its blocks run in order, print what the page says, and draw the pictures that it shows."""

import re

import matplotlib
import pytest
import run_tutorial
from matplotlib.image import imread
from threadpoolctl import threadpool_limits

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def words_and_numbers(text: str) -> tuple[list[str], list[float]]:
    return NUMBER.split(text), [float(number) for number in NUMBER.findall(text)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run, and what it printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    # two threads that wait for a busy processor take t-SNE several times as long as one
    with threadpool_limits(1), pytest.MonkeyPatch.context() as patch, matplotlib.rc_context():
        patch.setenv("MPLBACKEND", "Agg")
        matplotlib.rcdefaults()  # as in a session of its own, whatever style tests before it have used
        return folder, run_tutorial.run(run_tutorial.PAGE.read_text(), folder)


@pytest.mark.xdist_group("tutorial")
def test_prints_what_the_page_says(finished):
    _, printed = finished
    shown = run_tutorial.outputs(run_tutorial.PAGE.read_text())
    for (language, expected), actual in zip(shown, printed, strict=True):
        assert actual.strip()
        if language == "text":
            words, numbers = words_and_numbers(actual)
            expected_words, expected_numbers = words_and_numbers(expected)
            assert words == expected_words
            assert numbers == pytest.approx(expected_numbers, rel=0.1, abs=0.05)


@pytest.mark.xdist_group("tutorial")
def test_draws_the_pictures_that_the_page_shows(finished):
    folder, _ = finished
    shown = set(re.findall(r"\]\(tutorial/(\S+?\.png)\)", run_tutorial.PAGE.read_text()))
    assert shown == {path.name for path in folder.glob("*.png")} == {p.name for p in run_tutorial.PICTURES.iterdir()}
    for name in shown:
        # scanpy's legends leave a pixel more or less
        assert imread(folder / name).shape == pytest.approx(imread(run_tutorial.PICTURES / name).shape, abs=8)


def test_outputs_go_back_where_they_stand():
    page = "a\n```python\nprint(1)\n```\n\n```text\nold\n```\n```none\nold\n```\nz\n"
    assert run_tutorial.outputs(page) == [("text", "old\n"), ("none", "old\n")]
    fresh = run_tutorial.with_outputs(page, ["new\n", "more\n"])
    assert fresh == "a\n```python\nprint(1)\n```\n\n```text\nnew\n```\n```none\nmore\n```\nz\n"
