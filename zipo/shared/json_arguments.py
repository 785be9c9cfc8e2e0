"""Arguments and options of commands that are given as JSON."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer


def json_parser(kind: type, example: str) -> Callable[[Any], Any]:
    """A function that parses text as JSON of a kind, dict or list.

    It raises click's BadParameter for text that is no JSON of that kind, and for a name that is given twice.
    """

    def parse(text: Any) -> Any:
        try:
            value = json.loads(text, object_pairs_hook=_unique_names) if isinstance(text, str) else text
        except ValueError as error:
            raise typer.BadParameter(f"{text!r}: {error}; expected JSON, such as {example}") from None
        if not isinstance(value, kind):
            raise typer.BadParameter(f"{text!r}: expected JSON such as {example}")
        return value

    return parse


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs; ValueError if a name occurs twice, where json would take the last value."""
    names = [name for name, _ in pairs]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{repeated[0]} is given twice")
    return dict(pairs)


Json = Annotated[dict, typer.Argument(parser=json_parser(dict, '{"strength": 0.5}'), metavar="JSON")]
