"""A method author's afternoon: its commands and its method, run as they stand, on a small data set in baron's place."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.commands.benchmark.conftest import CONFIG, RUN, SOURCE

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
SECTION = PAGE.split("## A method author's afternoon\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", SECTION, re.M | re.S)
COMMANDS = [text for language, text in BLOCKS if not language]
(METHOD,) = [text for language, text in BLOCKS if language == "python"]


@pytest.fixture
def shell(tmp_path):
    """Runs lines of a shell, in which `zipo` is that of this tree with other data; gives what they print."""
    published = tmp_path / "published"
    published.mkdir()
    files = {"datasets": {"baron": {"title": "Small", "source": SOURCE}}}
    files["config"] = CONFIG | {"datasets": {"baron": {}}, "default_dataset": "baron"}
    for name, values in files.items():
        (published / f"{name}.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "run.py").write_text(RUN)
    command = tmp_path / "bin" / "zipo"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/run.py" "{published}" "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])

    def run(lines: str, **variables: str) -> str:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        done = subprocess.run(
            ["sh", "-e", "-c", lines], cwd=work, env=environment | variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_commands_lead_from_a_template_to_a_rank(shell, tmp_path):
    first, quicker = COMMANDS
    new, benchmark = first.splitlines()
    work = tmp_path / "work"
    # so that nothing is written into this clone
    written = shell(new, ZIPO_METHODS=str(work))
    assert written == f"{work / 'mine.py'}: fill it in, then run {benchmark}\n"
    (work / "mine.py").write_text(METHOD)
    # the shorter one first: the longer goes on from it
    assert "\nSmall (baron)\nmeasure " in shell(quicker)
    printed = shell(benchmark)
    (line,) = [line for line in printed.splitlines() if line.startswith("latent ari ")]
    assert 0 < float(line.split()[3]) <= 1
    for name in re.findall(r"^\| `([^`]+)`", SECTION, re.M):
        assert (work / "benchmark-mine" / name).exists()
