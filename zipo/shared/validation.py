"""Check values by pydantic, and word its errors as one sentence for whoever wrote them."""

from collections.abc import Callable
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zipo.shared.errors import InputError

# what is expected, by pydantic's type of problem; its own words are about Python
EXPECTED = {
    "string_type": "expected text, so put it in quotes",
    "model_type": "expected keys and their values, as in {key: value}, or {} for none",
    "dict_type": "expected keys and their values, as in {key: value}, or {} for none",
    "list_type": "expected a list, as in [a, b]",
    "tuple_type": "expected a list, as in [a, b]",
    "too_short": "expected at least one",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
}
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 100


KeyPath = tuple[str | int, ...]


def check(kind: TypeAdapter, value: Any, place: str | Callable[[KeyPath], str]) -> Any:
    """The value as this kind; InputError with the first problem in one sentence.

    `place` is what the sentence begins with: a name of the value, or a function that gives one by the keys that lead to
    the problem.
    """
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        name = place if isinstance(place, str) else place(_path_of(error))
        raise InputError(f"{name}: {_first_problem(error, kind)}") from None


def _first_problem(error: ValidationError, kind: TypeAdapter) -> str:
    """The first problem: key, value, what is wrong, and what is allowed."""
    problem = error.errors(include_url=False)[0]
    path = _path_of(error)
    key = ".".join(map(str, path))
    if problem["type"] == "extra_forbidden":
        name = str(path[-1])
        known = _known_keys(kind.json_schema(), problem["loc"][:-1])
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"{key}: unknown key {name!r}; {hint}known keys are {', '.join(known)}"
    if problem["type"] == "missing":
        return f"{key}: this key is required"
    message = EXPECTED.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    value = problem.get("ctx", {}).get("input", problem["input"])
    at_key = f"{key}: " if key else ""
    if problem["type"] == "value_error" and (isinstance(value, dict) or not key):  # of keys that do not fit together
        return at_key + message
    return f"{at_key}{SHORT.repr(value)} will not do: {message}"


def _path_of(error: ValidationError) -> KeyPath:
    """Keys that lead to the first problem, with the kinds that tell alternatives apart."""
    problem = error.errors(include_url=False)[0]
    path = tuple(part for part in problem["loc"] if part != "[key]")
    return (*path, problem["ctx"]["field"]) if problem["type"] == "of_field" else path


def _known_keys(schema: dict, path: tuple) -> list[str]:
    """Keys allowed at a path of the schema, following references, mappings and choices."""
    definitions = schema.get("$defs", {})

    def resolve(node: dict) -> dict:
        while "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return node

    nodes = [resolve(schema)]
    for part in path:
        below = []
        for node in nodes:
            options = [node, *map(resolve, node.get("anyOf", []) + node.get("oneOf", []))]
            for option in options:
                tag = option.get("properties", {}).get("kind", {}).get("const")
                if tag is not None and tag == part:
                    below.append(option)
                elif part in option.get("properties", {}):
                    below.append(resolve(option["properties"][part]))
                elif isinstance(part, int) and "items" in option:
                    below.append(resolve(option["items"]))
                else:
                    below.extend(map(resolve, option.get("patternProperties", {}).values()))
        nodes = below
    return sorted({key for node in nodes for key in _properties(node, resolve)})


def _properties(node: dict, resolve: Callable[[dict], dict]) -> list[str]:
    """Keys that a node of the schema allows, in itself or in one of its alternatives."""
    options = [node, *map(resolve, node.get("anyOf", []) + node.get("oneOf", []))]
    named = [key for option in options for key in option.get("properties", {})]
    return named + [key for option in options for key in option.get("propertyNames", {}).get("enum", [])]
