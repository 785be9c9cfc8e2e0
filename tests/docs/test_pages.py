"""What pages say of the package: commands that exist, hyper-parameters, slots, the paper's reference, the example."""

import re
from pathlib import Path

import citation
import commands
import pytest
import tables
import yaml
from typer.main import get_command

from zipo.cli import app
from zipo.datasets.example import SOURCE
from zipo.model.slots import SLOTS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs").glob("*.rst"))]
FENCED = re.compile(r"^```(?:sh|console)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^(?: {3,}).*\n)+", re.MULTILINE)
LINE = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/)?zipo (.+?)(?:\s+#.*)?$", re.MULTILINE)


def command_lines() -> list[tuple[str, str]]:
    """Each command line of `zipo` on a page."""
    actual = []
    for page in PAGES:
        text = page.read_text()
        blocks = [*FENCED.findall(text), *INDENTED.findall(text)]
        actual += [(page.name, line) for block in blocks for line in LINE.findall(block)]
    return actual


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_command_lines_are_ones_that_zipo_knows(page, line):
    command, arguments = get_command(app), line.split()
    while hasattr(command, "commands"):
        name = arguments.pop(0)
        assert name in command.commands, f"{page}: there is no command {name}"
        command = command.commands[name]
    known = {option for each in command.params for option in each.opts}
    options = {argument for argument in arguments if argument.startswith("--")}
    assert options <= known
    assert "--help" in arguments or sum(each.required for each in command.params) <= len(arguments) - len(options)


def test_pages_have_command_lines_to_check():
    assert {page for page, _ in command_lines()} >= {"README.md", "tutorial.md", "command-line.rst", "extending.md"}


def test_the_page_of_commands_has_every_option():
    page = commands.commands()
    for name, option in [("denoise", "--resume"), ("apply", "--batch"), ("tune", "--trials"), ("plot", "--colour")]:
        section = page.split(f"zipo {name}\n-")[1].split("\nzipo ")[0]
        assert f"   * - ``{option}" in section


def test_the_table_of_parameters_says_default_bounds_and_meaning():
    rows = tables.parameters().split("   * - ")
    (row,) = [row for row in rows if row.startswith("``learning_rate_decay``")]
    assert row.split("\n     - ")[1:3] == ["``0.9``", "> 0, ≤ 1"]
    assert "until the floor is reached" in row
    (row,) = [row for row in rows if row.startswith("``residuals``")]
    assert row.split("\n     - ")[1:3] == ["``full``", "``none``, ``full``, whole number ≥ 1"]


def test_the_table_of_slots_has_all():
    assert tables.filled_slots().count("   * - ") == 1 + len(SLOTS)
    assert '``obsm["X_zipo"]``' in tables.filled_slots()


def test_the_reference_is_the_papers():
    text = citation.citation()
    assert text.startswith("Sharifitabar M, Kazempour S, Razavian J, Sajedi S, Solhjoo S, Zare H (2025). A deep neural")
    assert "author = {Sharifitabar, Mohsen and Kazempour, Shiva and" in text
    assert "doi = {10.1109/TCBBIO.2025.3572783}," in text


def test_the_example_is_the_studys_data_set():
    catalogue = yaml.safe_load((ROOT / "config" / "datasets.yaml").read_text())
    assert SOURCE.model_dump(exclude_unset=True) == catalogue["baron"]["source"]


def test_the_page_of_data_sets_lists_those_of_the_catalogue():
    catalogue = yaml.safe_load((ROOT / "config" / "datasets.yaml").read_text())
    sizes, origins = (_rows_by_name(part) for part in (ROOT / "docs" / "datasets.md").read_text().split("\n## ")[:2])
    assert set(sizes) == set(catalogue)
    assert set(origins) == {name for name in catalogue if not name.startswith("simulated")}
    for name, entry in catalogue.items():
        if package := entry["source"].get("package"):
            assert f"`{package}`, {'wheel' if entry['source']['kind'] == 'wheel' else 'source'}" in origins[name]


def _rows_by_name(part: str) -> dict[str, str]:
    """The rows of a table, by each of the names in their first column."""
    rows = [line for line in part.splitlines() if line.startswith("| `")]
    return {name: row for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
