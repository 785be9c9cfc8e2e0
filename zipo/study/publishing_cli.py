"""The commands that publish what a finished study found in a folder of the site."""

from pathlib import Path

import typer

# every import below costs time at start-up, so each command imports what it runs
app = typer.Typer()


@app.command()
def publish_leaderboard(results: Path, target: Path) -> None:
    """Copy the small tables of a finished benchmark into a folder of the site, and write its page from them."""
    from zipo.study.publish import publish

    publish(results, target)


@app.command()
def findings(results: Path, target: Path, leaderboard: Path | None = None) -> None:
    """Copy the verdicts of a finished study into a folder of the site, with small pictures, and write a page from them.

    `leaderboard` is the folder of a published benchmark, for ZiPo's place among methods.
    """
    from zipo.study.findings.publish import publish

    publish(results, target, leaderboard)


@app.command()
def add_readings(results: Path, target: Path) -> None:
    """Add the readings of another study of the same claims to published findings, with the classes that follow."""
    from zipo.study.findings.more_readings import add_readings

    add_readings(results, target)
