"""The files by which the project is hosted: they name what the project has, and the Pythons that it supports."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def test_hosted_tests_run_on_the_pythons_that_the_package_names():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    named = [text.rsplit(" ", 1)[1] for text in PROJECT["classifiers"] if "Python :: 3." in text]
    assert jobs["test"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_hosted_jobs_run_targets_of_the_makefile():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert {command.split()[1] for command in commands if command.startswith("make ")} == {"test", "demo"}
    assert {"test", "demo"} <= MAKE_TARGETS


def test_hooks_before_a_commit_run_the_checkers_of_make_lint():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    checkers = {hook["entry"].split()[0] for hook in hooks}
    assert checkers == {f".venv/bin/{name}" for name in ("ruff", "mypy", "snakefmt")}


def test_the_changelog_has_the_version_of_the_package():
    headings = re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[:2] == ["Unreleased", PROJECT["version"]]
