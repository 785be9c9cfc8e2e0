"""Types of options that a command needs, each given as --name VALUE."""

from pathlib import Path
from typing import Annotated

import typer

from zipo.shared.json_arguments import json_parser

PathOption = Annotated[Path, typer.Option()]
TextOption = Annotated[str, typer.Option()]
IntOption = Annotated[int, typer.Option()]
FloatOption = Annotated[float, typer.Option()]
JsonOption = Annotated[dict, typer.Option(parser=json_parser(dict, '{"strength": 0.5}'), metavar="JSON")]
JsonListOption = Annotated[list, typer.Option(parser=json_parser(list, "[1, 2]"), metavar="JSON")]
