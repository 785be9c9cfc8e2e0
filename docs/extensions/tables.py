"""Directives that write parts of the site from the package, so that they say what it does."""

from collections.abc import Callable, Iterable
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from zipo import presets
from zipo.model import slots
from zipo.parameters import Parameters, ParameterValues


def parameters() -> str:
    """Every hyper-parameter, as a table in reStructuredText."""
    schema = ParameterValues.model_json_schema()["properties"]
    rows = []
    for name, field in ParameterValues.model_fields.items():
        meaning = " ".join((field.description or "").split())
        rows.append((literal(name), literal(shown(field.default)), allowed(schema[name]), meaning))
    return table(("parameter", "default", "allowed", "meaning"), (22, 16, 22, 40), rows)


def filled_slots() -> str:
    """Every slot that denoising fills, as a table in reStructuredText."""
    of_paper, refined = slots.meanings(Parameters()), slots.meanings(Parameters(**presets.OBJECTIVE))
    rows = []
    for name in slots.SLOTS:
        group, slot = name.split("/")
        rows.append((literal(f'{group}["{slot}"]'), of_paper[name], refined[name]))
    return table(("slot", "with the preset paper", "with the preset denoise"), (24, 38, 38), rows)


def allowed(schema: dict[str, Any]) -> str:
    """The values that a parameter may take, by its JSON schema."""
    if "anyOf" in schema:
        return ", ".join(map(allowed, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(literal, schema["enum"]))
    if "pattern" in schema:
        return "widths such as ``64-16``" + (", ``linear``" if "linear" in schema["pattern"] else "")
    if schema["type"] == "array":
        return "names"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    kind = "whole number " if schema["type"] == "integer" else ""
    return kind + ", ".join(f"{sign} {schema[bound]:g}" for bound, sign in bounds.items() if bound in schema)


def shown(value: object) -> str:
    """A default as one writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def literal(text: object) -> str:
    """Text as code."""
    return f"``{text}``"


def table(head: Iterable[str], widths: Iterable[int], rows: Iterable[Iterable[str]]) -> str:
    """A table in reStructuredText; a cell is one line."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (head, *rows):
        lines += [f"   {mark} {cell}" for mark, cell in zip(["* -", *["  -"] * 9], row, strict=False)]
    return "\n".join(lines)


def directive(write: Callable[[], str]) -> type[Directive]:
    """A directive without arguments that stands for the reStructuredText that `write` gives."""

    class Written(Directive):
        def run(self) -> list[nodes.Node]:
            parent = nodes.section()
            self.state.nested_parse(StringList(write().splitlines(), write.__name__), 0, parent, match_titles=True)
            return parent.children

    return Written


def setup(app) -> dict[str, bool]:
    app.add_directive("zipo-parameters", directive(parameters))
    app.add_directive("zipo-slots", directive(filled_slots))
    return {"parallel_read_safe": True}
