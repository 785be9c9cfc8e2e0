"""The command line: the commands of all rooms as one program."""

import atexit
import gc
import io
import logging
import os
import sys

import typer

from zipo.benchmark import methods_cli as of_methods
from zipo.commands import cli as of_tool
from zipo.shared.errors import InputError
from zipo.shared.wording import used_by
from zipo.study.cli import app as study

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(of_tool.app)
app.add_typer(of_methods.app)
app.add_typer(study, name="study")


@app.callback()
def _zipo(context: typer.Context) -> None:
    """ZiPo: a deep autoencoder that denoises single-cell counts, and the study of it."""
    context.with_resource(used_by("command line"))


def _show_messages() -> None:
    """Write the package's messages to standard error, as plain lines."""
    logger = logging.getLogger("zipo")
    logger.handlers = [logging.StreamHandler()]
    logger.setLevel(logging.INFO)


def main() -> None:
    """Run a command; input that will not do ends with one sentence and exit code 2."""
    # pictures go into files: a notebook's backend, which its cells hand on, is not to be had here
    os.environ["MPLBACKEND"] = "Agg"
    _show_messages()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of genes and files may have what its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does
    # A start makes objects by the hundred thousand, and they stay: searching them for garbage, on the way and at the
    # end, took a quarter of a short command's time.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
