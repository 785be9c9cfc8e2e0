"""YAML files: read by YAML 1.2's rules, refused by file and line, and written so that every reader agrees."""

import json
import re

import pytest
import yaml

from zipo.shared.errors import InputError
from zipo.shared.yaml_files import dump_yaml, parse, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-1.5E+3", -1500.0),
        (".5", 0.5),
        ("2.", 2.0),
        ("010", 10),  # no octal
        ("08", 8),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        # text, some of which YAML 1.1 takes for something else
        ("1024-64-16", "1024-64-16"),
        ("2048-12-10", "2048-12-10"),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("0x10", "0x10"),
        ("'1'", "1"),
        ("e5", "e5"),
    ],
)
def test_values_are_those_of_yamls_core_schema(text, value):
    (read,) = parse(f"key: {text}\n", "f").values()
    assert (read, type(read)) == (value, type(value))


def test_merged_keys_are_no_duplicates_and_own_ones_win():
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: [*b, *a], y: 4}\n"
    assert parse(text, "f") == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 3, "y": 4}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"seeds: 2\ntitle: t\nseeds: 3\n", "line 3: the key 'seeds' stands here a second time, first in line 1; keep"),
        (b"a:\n  - b: 1\n    c: {d: 1, d: 2}\n", "line 3: the key 'd' stands here a second time, first in line 3"),
        (b'{\n"a": 1,\n"a": 2}', "line 3: the key 'a' stands here a second time"),
        (b"a:\n\tb: 1\n", "not valid YAML: line 2: a tab, where YAML is indented by spaces alone"),
        (b"ok: 1\ntitle: Z\xfcrich\n", "line 2: not UTF-8 (byte 0xfc); save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1: not UTF-8 (byte 0xff)"),
        (
            b"title: a: b\n",
            "not valid YAML: line 1: mapping values are not allowed here; text that holds a colon needs",
        ),
        (b"a: [1\n", "not valid YAML: line 2: while parsing a flow sequence, expected ',' or ']'"),
        (b"a: *b\n", "not valid YAML: line 1: found undefined alias 'b'"),
        (b"a: !!python/name:os.system\n", "not valid YAML: line 1: could not determine a constructor"),
        (b"a: 1\n---\nb: 2\n", "not valid YAML: line 2: expected a single document"),
        (b"a: \x00\n", "not valid YAML: unacceptable character #x0000"),
        (b"? [1]\n: 2\n", "not valid YAML: line 1: while constructing a mapping, found unhashable key"),
    ],
)
def test_what_will_not_do_is_refused_by_file_and_line(tmp_path, content, problem):
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"{file}: {problem}")) as raised:
        read_yaml(file)
    assert "\n" not in str(raised.value)


def test_a_byte_order_mark_windows_lines_and_json_with_tabs_are_read(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_bytes("\N{BYTE ORDER MARK}a: Zürich\r\nb: 1e-4\r\n".encode())
    assert read_yaml(file) == {"a": "Zürich", "b": 1e-4}
    value = {"a": [1, {"b": "c\td"}], "e": 1e-7}
    file.write_text(json.dumps(value, indent="\t"))
    assert read_yaml(file) == value


def test_a_path_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.yaml: no such file"):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        read_yaml(tmp_path)


def test_what_is_written_is_the_same_to_every_reader():
    values = {
        "encoder": "1024-64-16", "name": "1e-4", "no": "no", "yes": "true", "octal": "010", "hex": "0x10", "t": "1:30",
        "colon": "a: b", "empty": "", "null": "~", "none": None, "truth": True, "small": 1e-22, "list": [1, 2.5, "3"],
        "umlaut": "ü",
    }  # fmt: skip
    text = dump_yaml(values)
    for read in (lambda text: parse(text, "f"), yaml.safe_load, lambda text: yaml.load(text, yaml.FullLoader)):
        assert read(text) == values
