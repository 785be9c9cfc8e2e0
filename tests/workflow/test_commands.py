"""Every command of Snakemake and make that a page, a file's comment or an error prints, planned in a clean tree."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from zipo.figures import discover

from .conftest import LAST_FIGURE, ROOT, STUDY, Repository, new_repository

pytestmark = pytest.mark.xdist_group("commands")

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "slurm/README.md", "slurm/profile.yaml", "Snakefile")),
    *sorted(path for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".rst")),
    *sorted((ROOT / "config").glob("*.yaml")),
    *sorted((ROOT / "workflow" / "rules").glob("*.smk")),
    *sorted((ROOT / "zipo").rglob("*.py")),
]
PRINTED = re.compile(r"(?:^|[`(!]|: )(?:\$ )?(?:\.venv/bin/)?snakemake((?: +[^\s`#()\"]+)*)", re.MULTILINE)
TARGETS = re.compile(r"(?:^|`)make ([a-z-]+)\b", re.MULTILINE)
NOT_RUN = {"", "..."} | (set() if shutil.which("conda") else {"--sdm conda"})
# starts Python and Snakemake once for all commands: each runs in a fork of its own, two at a time
FORKS = """
import os, shlex, sys
import snakemake.api, snakemake.cli, zipo.figures, zipo.study.config
zipo.figures.discover()
running = {}
def end_one():
    pid, status = os.wait()
    print(running.pop(pid), os.waitstatus_to_exitcode(status), flush=True)
for number, command in enumerate(sys.argv[1:]):
    if len(running) == 2:
        end_one()
    if not (pid := os.fork()):
        log = os.open(f"{number}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        snakemake.cli.main(shlex.split(command))
    running[pid] = number
while running:
    end_one()
"""
MINE = """
mine:
  title: My cells
  source: {kind: file, path: data/counts.h5ad, cell_type: louvain}
  filters: {min_counts: 500, min_cells: 10, most_variable: 2000}
"""


def printed_commands() -> list[str]:
    """The arguments of each command of Snakemake that is printed anywhere, each once, as a dry run."""
    actual = {match.strip() for page in PAGES for match in PRINTED.findall(page.read_text())} - NOT_RUN
    return sorted({f"{command.removesuffix('-n').strip()} -n".strip() for command in actual})


class Planned(Repository):
    """A clean tree with a study of one's own .h5ad, and what commands came to in it."""

    def run(self, commands: list[str]) -> dict[str, tuple[int, str]]:
        """Exit code and output of each command, by its words."""
        environment = {name: value for name, value in os.environ.items() if name != "SYNAPSE_AUTH_TOKEN"}
        done = subprocess.run(
            [sys.executable, "-c", FORKS, *commands],
            cwd=self.folder, env=environment | {"PYTHONPATH": str(self.folder)}, text=True, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        codes = dict(map(int, line.split()) for line in done.stdout.splitlines())
        return {
            command: (codes[number], (self.folder / f"{number}.log").read_text())
            for number, command in enumerate(commands)
        }


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Planned:
    repository = new_repository(tmp_path_factory.mktemp("clean") / "project")
    (repository.folder / "data").mkdir()
    (repository.folder / "data" / "counts.h5ad").touch()  # a dry run reads none
    repository.edit("config/datasets.yaml", MINE)
    study = STUDY | {"study": "mine", "datasets": {"mine": {}}, "default_dataset": "mine"}
    repository.write_study(study)
    (repository.folder / "config" / "tiny.yaml").rename(repository.folder / "config" / "mine.yaml")
    return Planned(repository.folder)


def test_the_pages_have_the_commands_that_are_looked_for():
    actual = printed_commands()
    assert {"-n", "--profile slurm -n", "--config update_lock=true -n", "figure-08 -n"} <= set(actual)
    assert len(actual) >= 12


def test_every_printed_command_is_planned_in_a_clean_tree(clean):
    stands_for = {"FILE": "config/mine.yaml", "/scratch/zipo": "elsewhere"}
    commands = [
        re.sub("|".join(stands_for), lambda match: stands_for[match[0]], command) for command in printed_commands()
    ]
    for command, (code, output) in clean.run(commands).items():
        assert code == 0, f"snakemake {command}\n{output}"
        assert not re.search("Traceback|Exception", output), command


def test_plans_and_refusals(clean):
    # those after need other readings of the paper than the study's own, and other widths
    of_demo = {name for name in discover() if name <= LAST_FIGURE.replace("_", "-")}
    parts = [*sorted(of_demo), "table-1", "runs", "claims", "leaderboard", "report"]
    plans = {
        "demo": "-n",
        "parts": f"{' '.join(parts)} -n",
        "limit": "--profile slurm --config max_minutes=20 -n",
        "own": "--profile slurm --configfile config/mine.yaml -n",
        "readings": "readings --configfile config/verdicts.yaml -n",
        "scale": "results/scale/scale.parquet --configfile config/scale.yaml -n",
    }
    refused = {
        "figure-16": "figure-16: the study mine has no experiment latent_space, from which it is drawn; its",
        "leaderboard": "leaderboard: the study mine has no benchmark, so there is none",
        "readings": "readings: the study mine has no readings, so there is none",
    }
    refusals = {target: f"{target} --configfile config/mine.yaml -n" for target in refused}
    refusals |= {"claims": "claims --configfile config/benchmark.yaml -n"}
    refused |= {"claims": "claims: the study benchmark has no experiments, so there is none"}
    actual = clean.run([*plans.values(), *refusals.values()])

    code, output = zip(*(actual[command] for command in plans.values()), strict=True)
    assert code == (0, 0, 0, 0, 0, 0), output
    demo, drawn, limited, own, readings, scale = output
    assert re.search(r"^(local)?rule readings:", readings, re.MULTILINE)
    assert re.search(r"^(local)?rule scale:", scale, re.MULTILINE)
    # what is not known before a data set is there; a file of one's own is none before it is prepared
    for plan in (demo, own):
        assert re.search(r"^rule train:\n(?:    .*\n)*?    resources: .*runtime=<TBD>", plan, re.MULTILINE)
    assert {f"{part} 1" for part in parts if part not in ("claims", "leaderboard", "report")} <= {
        " ".join(line.split()) for line in drawn.splitlines()
    }
    resources = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: .*runtime=(\d+)", limited, re.MULTILINE)
    jobs = {rule: int(minutes) for rule, minutes in resources if rule in ("train", "tune_worker", "prepare", "embed")}
    assert jobs == dict.fromkeys(("train", "tune_worker", "prepare", "embed"), 20)
    for name, command in refusals.items():
        code, output = actual[command]
        assert code != 0
        assert refused[name] in output


def test_every_printed_target_of_make_is_one():
    text = "\n".join(page.read_text() for page in PAGES)
    names = set(TARGETS.findall(text))
    assert {"demo", "test", "env", "docs", "slurm-test", "reliability"} <= names
    for name in names:
        done = subprocess.run(["make", "-n", name], cwd=ROOT, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
