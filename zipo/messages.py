"""A validation error as one sentence for whoever wrote the file."""

from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError


def first_problem(error: ValidationError, kind: TypeAdapter) -> str:
    """The first problem: key, value, what is wrong, and what is allowed."""
    problems = error.errors(include_url=False)
    problem = problems[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        name = str(problem["loc"][-1])
        known = _known_keys(kind.json_schema(), problem["loc"][:-1])
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"{key}: unknown key {name!r}; {hint}known keys are {', '.join(known)}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{key}: this key is required"
    if problem["type"] == "value_error" and not key:
        return message
    return f"{key}: {problem['input']!r} will not do: {message}"


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


def _properties(node: dict, resolve) -> list[str]:
    options = [node, *map(resolve, node.get("anyOf", []) + node.get("oneOf", []))]
    named = [key for option in options for key in option.get("properties", {})]
    return named + [key for option in options for key in option.get("propertyNames", {}).get("enum", [])]
