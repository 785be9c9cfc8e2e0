"""The commands of `zipo` for data of one's own, with every argument and option, from the commands themselves."""

from tables import directive, literal, table
from typer import Context
from typer.core import TyperCommand
from typer.main import get_command

from zipo.commands.cli import app


def commands() -> str:
    """A section for each command, as reStructuredText."""
    commands = get_command(app).commands
    return "\n\n".join(section(name, commands[name]) for name in commands)


def section(name: str, command: TyperCommand) -> str:
    """A command's usage, what it does, and its arguments and options."""
    title = f"zipo {name}"
    context = Context(command, info_name=title)
    usage = " ".join([title, *(piece.strip("{}") for piece in command.collect_usage_pieces(context))])
    records = [record for each in command.params if (record := each.get_help_record(context))]
    rows = [(literal(sign), text) for sign, text in records]
    lines = [title, "-" * len(title), "", command.help, "", ".. code-block:: none", "", f"   {usage}", ""]
    return "\n".join([*lines, table(("argument or option", "meaning"), (38, 62), rows)])


def setup(app) -> dict[str, bool]:
    app.add_directive("zipo-commands", directive(commands))
    return {"parallel_read_safe": True}
