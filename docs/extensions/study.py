"""Directives on the study: every key of its files, the catalogues of config/, and where its findings are."""

import math
import re
from pathlib import Path
from typing import Any

import yaml
from tables import directive, literal, table

from zipo.shared.verdicts import figure_name
from zipo.study.claims.catalogue import load_claims
from zipo.study.experiments import Point
from zipo.study.readings.catalogue import load_questions
from zipo.study.schemas import SCHEMAS

CONFIG = Path(__file__).parents[2] / "config"
PUBLISHED = Path(__file__).parents[1] / "findings" / "index.md"
HYPER_PARAMETERS = {"ParameterValues": "hyper-parameters", Point.__name__: "hyper-parameters and a name"}
"""Definitions that the page of hyper-parameters lists."""
FILES = {
    "study": "A study",
    "datasets": "config/datasets.yaml",
    "experiments": "config/experiments.yaml",
    "claims": "config/claims.yaml",
    "readings": "config/readings.yaml",
}
NOT_DECIDING = {"figure", "section", "claim", "data", "kind", "elsewhere", "explained"}
"""Keys of a claim that do not say how it is decided."""
FIRST = ("experiment", "where", "measure", "of", "direction", "than", "smallest_effect")
"""Keys of a claim in the order in which they are read; others come before."""


def keys() -> str:
    """A section for each file of a study, and in it for each of its sections, with every key."""
    return "\n\n".join(part for name, title in FILES.items() for part in [heading(title, "-"), *sections(name)])


def sections(name: str) -> list[str]:
    """The keys of a file's entries and of all sections within, as tables with headings."""
    schema = SCHEMAS[name].json_schema()
    definitions = schema.get("$defs", {})
    waiting = [("", schema)] if "properties" in schema else [("NAME", each) for each in referred(schema, definitions)]
    written: list[dict] = []
    parts = []
    while waiting:
        path, section = waiting.pop(0)
        if section in written:
            continue
        written.append(section)
        rows = []
        for key, value in section["properties"].items():
            place = f"{path}.{key}" if path else key
            rows.append((literal(key), default(value, key in section.get("required", [])), form(value), meaning(value)))
            within = f"{place}.NAME" if named(value) else place
            waiting += [(within, each) for each in referred(value, definitions)]
        kinds = section["properties"].get("kind", {})
        kind = kinds.get("const") or " or ".join(kinds.get("enum", []))
        if path:
            parts.append(heading(f"{path}, {kind}" if kind else path, "~"))
        if path and section.get("description"):
            parts.append(meaning(section))
        parts.append(table(("key", "default", "allowed", "meaning"), (18, 14, 26, 42), rows))
    return parts


def referred(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """The sections that a value may be or hold, those of hyper-parameters left out."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        section = definitions[name]
        return [] if name in HYPER_PARAMETERS or "properties" not in section else [section]
    inner = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    inner += [schema["items"]] if isinstance(schema.get("items"), dict) else []
    inner += values_by_name(schema)
    return [section for each in inner for section in referred(each, definitions)]


def named(schema: dict[str, Any]) -> bool:
    """Whether a value holds others by names that are the user's or a catalogue's."""
    return bool(values_by_name(schema)) or any(map(named, schema.get("anyOf", [])))


def values_by_name(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of what a value holds by names."""
    others = schema.get("additionalProperties")
    return [*schema.get("patternProperties", {}).values(), *([others] if isinstance(others, dict) else [])]


def form(schema: dict[str, Any]) -> str:
    """The form of a value, by its JSON schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f":doc:`{HYPER_PARAMETERS[name]} <parameters>`" if name in HYPER_PARAMETERS else "a section"
    if alternatives := [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        return ", or ".join(dict.fromkeys(form(each) for each in alternatives if each.get("type") != "null"))
    if "const" in schema:
        return literal(schema["const"])
    if "enum" in schema:
        return ", ".join(map(literal, schema["enum"]))
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return ", or ".join(form(schema | {"type": each}) for each in kind)
    if kind == "array":
        return f"a list of: {form(schema['items'])}" if schema.get("items") else "a list"
    if kind == "object":
        return (
            ", or ".join(f"by name: {words}" for each in values_by_name(schema) if (words := form(each))) or "by name"
        )
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "``true``, ``false``"}
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = ", ".join(f"{sign} {schema[bound]:g}" for bound, sign in bounds.items() if bound in schema)
    return f"{words.get(kind, '')} {limits}".strip()


def default(schema: dict[str, Any], required: bool) -> str:
    """The default of a value as one writes it."""
    if required:
        return "required"
    value = None if is_of_hyper_parameters(schema) else schema.get("default")
    return (
        ""
        if value is None or value in ("", {}, [])
        else literal(yaml.safe_dump(value, default_flow_style=True).split("\n")[0])
    )


def is_of_hyper_parameters(schema: dict[str, Any]) -> bool:
    return schema.get("$ref", "").rsplit("/", 1)[-1] in HYPER_PARAMETERS


def meaning(schema: dict[str, Any]) -> str:
    """What a value is, in a line."""
    return " ".join(schema.get("description", "").split())


def experiments() -> str:
    """Each experiment of the catalogue with what it varies."""
    catalogue = yaml.safe_load((CONFIG / "experiments.yaml").read_text())
    rows = []
    for name, entry in catalogue.items():
        varied = [f"{key}: {listed(values)}" for key, values in entry.get("grid", {}).items()]
        varied += [literal(point.get("name") or flow(point)) for point in entry.get("points", [])]
        fixed = literal(flow(entry["set"])) if "set" in entry else ""
        rows.append((literal(name), f"{plain(entry['title'])} ({entry['section']})", ", ".join(varied), fixed))
    return table(("name", "what", "varied", "fixed"), (16, 28, 42, 14), rows)


def claims() -> str:
    """Each claim of the catalogue by figure of the paper, with what decides it."""
    by_figure: dict[float, list[tuple[str, ...]]] = {}
    for name, claim in load_claims(CONFIG / "claims.yaml").items():
        entry = claim.model_dump(mode="json", exclude_unset=True)
        decides = ", ".join(
            f"{key}: {flow(value)}" for key, value in sorted(entry.items(), key=rank) if key not in NOT_DECIDING
        )
        row = (literal(name), f"{plain(claim.claim)} ({claim.section})", ", ".join(claim.data),
               f"*{plain(claim.kind)}*: {literal(decides)}")  # fmt: skip
        by_figure.setdefault(claim.figure or math.inf, []).append(row)
    head, widths = ("name", "the paper says", "of", "decided by"), (22, 34, 10, 34)
    return "\n\n".join(
        part
        for figure, rows in sorted(by_figure.items())
        for part in (
            heading("Text alone" if math.isinf(figure) else figure_name(figure), "~"),
            table(head, widths, rows),
        )
    )


def rank(item: tuple[str, Any]) -> int:
    """The place of a key of a claim among those of FIRST."""
    return FIRST.index(item[0]) if item[0] in FIRST else -1


def readings() -> str:
    """Each question that the paper leaves open with the readings that answer it."""
    rows = []
    for name, question in load_questions(CONFIG / "readings.yaml").items():
        answers = [
            f"{literal(answer)} ({literal(flow(reading.model_dump(mode='json', exclude_unset=True)))})"
            for answer, reading in question.readings.items()
        ]
        rows.append((literal(name), f":ref:`{plain(question.question)} <{question.anchor}>`", ", ".join(answers)))
    return table(("name", "question", "readings"), (18, 34, 48), rows)


def findings() -> str:
    """Where the published findings are, or that there are none."""
    if PUBLISHED.is_file():
        return "The page of the study that is published: :doc:`findings/index`."
    return "No study is published in this copy of the site."


def heading(title: str, underline: str) -> str:
    return f"{title}\n{underline * len(title)}"


def listed(values: list) -> str:
    return ", ".join(map(literal, values))


def flow(value: object) -> str:
    """A value as YAML in one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).split("\n...")[0].strip()


def plain(text: str) -> str:
    """Text without marks of reStructuredText."""
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def setup(app) -> dict[str, bool]:
    for name, write in [
        ("zipo-study-keys", keys), ("zipo-experiments", experiments), ("zipo-claims", claims),
        ("zipo-readings", readings), ("zipo-findings", findings),
    ]:  # fmt: skip
        app.add_directive(name, directive(write))
    return {"parallel_read_safe": True}
