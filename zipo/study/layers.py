"""Layers of a study's configuration: files, each over the one before, and options KEY=VALUE on top."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from zipo.shared.errors import InputError
from zipo.shared.yaml_files import parse, read_yaml

OPTION = "--config"


@dataclass(frozen=True)
class Layers:
    """A configuration in layers."""

    layers: list[tuple[str, dict[str, Any]]]
    """Each layer's place in errors, such as its file, and its keys and values; the lowest first."""

    @property
    def values(self) -> dict[str, Any]:
        """All layers as one configuration: a later one wins, key by key."""
        merged: dict[str, Any] = {}
        for _, values in self.layers:
            merged = _merge(merged, values)
        return merged

    def place_of(self, *path: str | int) -> str:
        """The uppermost layer's place that has a path of keys, or as much of the path as any layer has."""
        depths = {place: _depth(values, path) for place, values in reversed(self.layers)}
        return max(depths, key=lambda place: depths[place]) if any(depths.values()) else self.places

    @property
    def places(self) -> str:
        """All places, as in config/mine.yaml, --config."""
        return ", ".join(place for place, _ in self.layers)


def layers(files: Iterable[Path], options: Iterable[str] = ()) -> Layers:
    """The layers of files and of options KEY=VALUE, as Snakemake's --configfile and --config take them.

    Raises InputError naming the file or option that is not valid.
    """
    file_layers = []
    for file in files:
        values = read_yaml(file)
        if not isinstance(values, dict):
            raise InputError(f"{file}: expected keys and their values, as in config/demo.yaml")
        file_layers.append((str(file), values))
    option_values: dict[str, Any] = {}
    for option in options:
        key, _, text = option.partition("=")
        option_values = _merge(option_values, {key: _value(key, text)})
    return Layers(file_layers + ([(OPTION, option_values)] if option_values else []))


def _value(key: str, text: str) -> Any:
    """The value of an option: YAML within one line, as in a file, or else the text as it is."""
    try:
        value = parse(text, f"{OPTION} {key}")
    except yaml.YAMLError:
        return text
    # a title with a colon is no mapping
    return text if isinstance(value, dict | list) and not text.lstrip().startswith(("{", "[")) else value


def _merge(below: Any, above: Any) -> Any:
    """One value over another: mappings merged key by key, as Snakemake does; any other value replaces the one below."""
    if not isinstance(above, Mapping):
        return above
    below = dict(below) if isinstance(below, Mapping) else {}
    return below | {key: _merge(below.get(key), value) for key, value in above.items()}


def _depth(values: Any, path: tuple[str | int, ...]) -> int:
    """Number of the keys of a path that exist in nested values; keys that only name a kind of source are skipped."""
    depth = 0
    for key in path:
        keys = range(len(values)) if isinstance(values, list) else values if isinstance(values, Mapping) else ()
        if key in keys:
            values, depth = values[key], depth + 1
    return depth
