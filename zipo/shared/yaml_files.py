"""Reads and writes the YAML of configuration files, by stricter rules than PyYAML's.

It is YAML 1.2's core schema: 1e-4 is a number, 1024-64-16 and 1:30 are text, and only true and false are booleans. A
key that stands twice in one mapping is an error, where PyYAML takes the last.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from zipo.shared.errors import InputError

# tag, pattern of the scalars that have it, and their first characters
RESOLVERS = [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
]


class _RepeatedKeyError(Exception):
    """A key that stands twice in a mapping; its message says where."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the rules above."""

    yaml_implicit_resolvers: dict = {}

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line, name = key.start_mark.line + 1, (key.tag, key.value)
                if name in lines:
                    raise _RepeatedKeyError(
                        f"line {line}: the key {key.value!r} stands here a second time, first in line {lines[name]}"
                    )
                lines[name] = line
        return node


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes where YAML 1.1 or the rules above would take it for another type."""


for _tag, _pattern, _first in RESOLVERS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


def read_yaml(path: Path) -> Any:
    """The content of a YAML or JSON file; InputError naming file and line if it is missing or not valid."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); correct the path, or let it be read") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise InputError(f"{path}: line {line}: not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8") from None
    try:
        return parse(text, str(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: {_describe(error)}") from None


def parse(text: str, place: str) -> Any:
    """The value of a text in YAML; InputError for a key that stands twice, YAMLError for text that is no YAML."""
    if text.lstrip().startswith(("{", "[")):  # JSON may be indented by tabs, which mean nothing within braces
        text = text.expandtabs()
    try:
        return yaml.load(text, _Loader)
    except _RepeatedKeyError as error:
        raise InputError(f"{place}: {error}; keep one of them") from None


def dump_yaml(values: dict[str, Any]) -> str:
    """Values as YAML, in their order, which every reader of YAML reads as the same values."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _describe(error: yaml.YAMLError) -> str:
    """What is wrong and in which line; for common mistakes also what to do."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return f"not valid YAML: {' '.join(str(error).split())}"
    if "'\\t'" in problem:
        problem = "a tab, where YAML is indented by spaces alone; replace tabs by spaces"
    elif problem.startswith("mapping values"):
        problem += "; text that holds a colon needs quotes"
    elif context := getattr(error, "context", None):
        problem = f"{context}, {problem}"
    return f"not valid YAML: line {mark.line + 1}: {problem}"
