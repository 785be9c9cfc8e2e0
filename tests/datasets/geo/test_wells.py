"""The wells' metadata in every form: the same fields from all of them, and a remark in place of an error."""

import gzip

import numpy as np
import pytest

from tests.datasets import geo_tree
from zipo.datasets.geo import plates
from zipo.datasets.geo.wells import describe, read_wells


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The deposit as generated, read only."""
    return geo_tree.write_plates(tmp_path_factory.mktemp("geo"), wells=6, genes=5, density=0.5)


def lines_of(deposit) -> list[str]:
    return gzip.decompress((deposit.suppl / plates.METADATA).read_bytes()).decode().splitlines()


def read(folder, lines, encoding="utf-8"):
    """obs, and remarks, of a table's lines."""
    path = folder / plates.METADATA
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(encoding)))
    table, remarks = read_wells(path)
    obs, more = describe(table, path.name)
    return obs, [*remarks, *more]


def fields(lines, change):
    return ["\t".join(change(line.split("\t"))) for line in lines]


FORMS = {
    "as believed": lambda lines: lines,
    "no trailing tab": lambda lines: fields(lines, lambda row: row[:-1]),
    "trailing tabs below the header": lambda lines: [lines[0].rstrip("\t"), *lines[1:]],
    "quoted": lambda lines: fields(lines, lambda row: [f'"{value}"' for value in row]),
    "commas": lambda lines: [line.replace("\t", ",") for line in lines],
    "semicolons": lambda lines: [line.replace("\t", ";") for line in lines],
    "blanks": lambda lines: [line.replace("\t", " ") for line in lines],
    "windows": lambda lines: [f"{line}\r" for line in lines],
    "mark": lambda lines: ["\ufeff" + lines[0], *lines[1:]],
    "notes on top": lambda lines: [*(f"note {i}" for i in range(14)), "", *lines],
    "notes on the columns": lambda lines: ["well\tname of the well", "Number_of_cells\t0 in an empty one", *lines],
    "experiment last": lambda lines: fields(lines, lambda row: [row[0], *row[2:-1], row[1], ""]),
    "well last": lambda lines: fields(lines, lambda row: [*row[1:-1], row[0]]),
    "row numbers": lambda lines: [f"{number or ''}\t{line}" for number, line in enumerate(lines)],
    "row numbers, as R's write.table": lambda lines: [
        lines[0].rstrip("\t"), *(f"{number}\t{line}".rstrip("\t") for number, line in enumerate(lines[1:], 1)),
    ],
    "wells as row names": lambda lines: [lines[0].partition("\t")[2], *lines[1:]],
    "wells below no name": lambda lines: [lines[0].removeprefix("well"), *lines[1:]],
    "names in capitals": lambda lines: [lines[0].upper(), *lines[1:]],
    "well by another name": lambda lines: [lines[0].replace("well", "Well_ID", 1), *lines[1:]],
    "names with points": lambda lines: [lines[0].replace("_", "."), *lines[1:]],
    "cells with decimals": lambda lines: fields(
        lines, lambda row: [*row[:6], f"{row[6]}.0" if row[6].isdecimal() else row[6], row[7]]
    ),
    "blank lines": lambda lines: [part for line in lines for part in (line, "", "\t\t")],
    "twice": lambda lines: [*lines, *lines[1:4]],
}  # fmt: skip


@pytest.mark.parametrize("change", FORMS.values(), ids=FORMS)
def test_every_form_has_the_same_fields(pristine, tmp_path, change):
    obs, remarks = read(tmp_path, change(lines_of(pristine)))
    assert remarks == []
    assert list(obs.index) == pristine.wells
    assert list(obs["batch"]) == pristine.batches
    assert list(obs["experiment"]) == pristine.experiments
    assert list(obs["number_of_cells"]) == pristine.cells
    assert obs["number_of_cells"].dtype == np.int64
    assert list(obs["tissue"].cat.categories) == ["BMPC", "circPC"]


def test_text_that_is_not_utf_8_is_read(pristine, tmp_path):
    lines = fields(lines_of(pristine), lambda row: [*row[:5], row[5].replace("SB30", "Sé30"), *row[6:]])
    obs, remarks = read(tmp_path, lines, "latin-1")
    assert (list(obs["number_of_cells"]), remarks) == (pristine.cells, [])


MISSING = "subject, condition and tissue missing where Experiment_ID does not read"


@pytest.mark.parametrize(
    ("experiment", "subject", "tissue"),
    [
        ("study01_hip02_BMPC", "hip02", "BMPC"),
        ("study01_MM02_postRx_circPC#12", "MM02", "circPC"),
        ("study01_MM02_postRx2_circPC", "MM02", "circPC"),
        ("study01_MM02_preRx_BMPC", None, None),
        ("study01_MM02_circPC#2b", None, None),
        ("study01_MM02_circPC#", None, None),
        ("study01_MM02", None, None),
        ("hip02", None, None),
        ("a_b_c_d_e", None, None),
        ("", None, None),
        ("NA", None, None),
    ],
)
def test_an_experiment_of_another_form_leaves_its_parts_missing(pristine, tmp_path, experiment, subject, tissue):
    lines = lines_of(pristine)
    lines[4] = "\t".join([lines[4].split("\t")[0], experiment, *lines[4].split("\t")[2:]])
    obs, remarks = read(tmp_path, lines)
    well = obs.iloc[3]
    assert (well["experiment"] if experiment not in ("", "NA") else experiment) == experiment
    if subject:
        assert (well["subject"], well["tissue"]) == (subject, tissue)
        assert well["condition"] == ("control" if subject == "hip02" else "patient")
        assert remarks == []
    else:
        assert well[["subject", "condition", "tissue"]].isna().all()
        assert obs.drop(obs.index[3]).notna().all(axis=None)
        (remark,) = remarks
        assert MISSING in remark
        assert remark.endswith(f"1 of 18 wells, the first is 'WMC0076003' with {experiment!r}")


@pytest.mark.parametrize(
    ("value", "cells"),
    [("1.0", 1), ("2.", 2), ("0", 0), ("3e0", 3)] + [(v, None) for v in ("NA", "", "NaN", "one", "-1", "1.5", "inf")],
)
def test_a_number_of_cells_is_whole_or_missing(pristine, tmp_path, value, cells):
    lines = lines_of(pristine)
    lines[4] = "\t".join([*lines[4].split("\t")[:6], value, ""])
    obs, remarks = read(tmp_path, lines)
    others = obs["number_of_cells"].drop("WMC0076003")
    assert list(others) == pristine.cells[:3] + pristine.cells[4:]
    if cells is not None:
        assert (obs.loc["WMC0076003", "number_of_cells"], remarks) == (cells, [])
    else:
        assert np.isnan(obs.loc["WMC0076003", "number_of_cells"])
        (remark,) = remarks
        assert remark.endswith(f"hold a whole number: 1 of 18 wells, the first is 'WMC0076003' with {value!r}")


@pytest.mark.parametrize(
    ("column", "name", "lost"),
    [
        ("batch", "Amp_batch_ID", ["batch"]),
        ("experiment", "Experiment_ID", ["experiment", "subject", "condition", "tissue"]),
        ("number_of_cells", "Number_of_cells", ["number_of_cells"]),
    ],
)
@pytest.mark.parametrize("blank", [True, False])
def test_a_column_that_is_absent_or_blank_is_missing(pristine, tmp_path, column, name, lost, blank):
    lines = lines_of(pristine)
    at = lines[0].split("\t").index(name)
    lines = fields(
        lines, lambda row: [*row[:at], *([row[at] if row[at] == name else ""] if blank else []), *row[at + 1 :]]
    )
    obs, remarks = read(tmp_path, lines)
    assert obs[lost].isna().all(axis=None)
    assert obs.drop(columns=lost).notna().all(axis=None)
    (remark,) = remarks
    assert ("18 of 18 wells, the first is 'WMC0076000' with ''" if blank else f"there is no column '{name}'") in remark


@pytest.mark.parametrize(
    ("change", "remark", "lost"),
    [
        (lambda line: "WMC0076003\tx", "more or fewer fields than others, which are left missing: 1 of 18", True),
        (lambda line: line.replace("\tP3058", ""), "more or fewer fields than others", True),
        (lambda line: f"{line}\tx", "more or fewer fields than others", True),
        (lambda line: f"{line}\n{line.replace('AB3058', 'x')}", "contradict each other, which are left missing", True),
        (lambda line: f"{line}\n\tx", "rows without a well, which are passed over: 1 of 19, the first is ''", False),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_told_apart_leaves_its_fields_missing(pristine, tmp_path, change, remark, lost):
    lines = lines_of(pristine)
    lines[4] = change(lines[4])
    obs, remarks = read(tmp_path, lines)
    assert list(obs.index) == pristine.wells
    assert obs.loc["WMC0076003"].isna().all() == lost
    assert obs.drop("WMC0076003").notna().all(axis=None)
    assert remark in remarks[0]
