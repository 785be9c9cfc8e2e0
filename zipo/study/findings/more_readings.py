"""Adds readings of what the paper leaves open to published findings, from a study of the same claims."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from zipo.figures import load
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv
from zipo.shared.yaml_files import read_yaml
from zipo.study.findings.page import OF_READINGS, text
from zipo.study.findings.publish import has_readings, provenance_of, questions_of, shrink
from zipo.study.findings.tables import PROVENANCE, READINGS, read_tsv
from zipo.study.publish import PAGE, check_size, merged
from zipo.study.readings.planning import AS_RUN
from zipo.study.readings.verdicts import DECIDED, KEY, classified, long, wide

REPEATED = "verdicts of as_run that are the same again"


def add_readings(results: Path, target: Path) -> None:
    """Add the readings of a study to the findings in the folder `target`: table, classes, picture, page, where it ran.

    `results` is the folder of a finished study, as results/verdicts, which may have any readings beside its own; those
    of a name that is published replace them. Its own reading, which is published already, stays as it was; how many
    claims it decides in the same way is written beside where it ran. Claims that are not published are left out.
    Raises InputError where a file is missing, where published claims are, where the study has no readings any more,
    where its own reading contradicts what is published, and where the files are too large; then `target` stays as it
    was.
    """
    needed = [results / READINGS, results / "runs.parquet", results / "config.yaml"]
    for file in (*needed, target / READINGS, target / PROVENANCE):
        if not file.is_file():
            raise InputError(
                f"{file}: not there; it takes a finished study with readings, and published findings with some"
            )
    if not has_readings(read_yaml(results / "config.yaml")):
        raise InputError(
            f"{results / 'config.yaml'}: has no readings, so {READINGS} beside it is of an earlier configuration; give "
            "the study readings, and run it to its end by snakemake first"
        )
    later, earlier = (long(read_tsv(folder / READINGS)) for folder in (results, target))
    agreeing = agreement(earlier, later, target, results)
    published = pd.MultiIndex.from_frame(later[KEY]).isin(pd.MultiIndex.from_frame(earlier[KEY]))
    later = later[published & (later["reading"] != AS_RUN)]
    table = classified(merged(earlier, later, [*KEY, "reading"]).drop(columns=["class", "because_of"]))
    facts = json.loads((target / PROVENANCE).read_text(encoding="utf-8"))
    names = list(later["reading"].unique())
    facts["questions"] |= questions_of(results)
    kept = [added for added in facts.get("added", []) if not set(added["readings"]) <= set(names)]
    facts["added"] = [*kept, {"readings": names, "ran": provenance_of(results)["ran"] | {REPEATED: agreeing}}]
    with TemporaryDirectory() as made:
        folder = Path(made) / "findings"
        shutil.copytree(target, folder)
        write_tsv(wide(table), folder / READINGS)
        (folder / PROVENANCE).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        drawn = Path(made) / OF_READINGS
        load(drawn.stem).draw({"readings": table}, {}).savefig(drawn)
        shrink(drawn, folder / OF_READINGS)
        (folder / PAGE).write_text(text(folder), encoding="utf-8")
        check_size(folder, f"{target} with the readings of {results}: its findings")
        for name in (READINGS, PROVENANCE, OF_READINGS, PAGE):
            shutil.copyfile(folder / name, target / name)


def agreement(earlier: pd.DataFrame, later: pd.DataFrame, target: Path, results: Path) -> str:
    """How many claims have the same verdict in both under the study's own reading, as in 48 of 51.

    Trainings on another machine or by another version differ in rounding, and so may verdicts near a bound. Raises
    InputError where a published claim is missing, and where one is reproduced in one table and not in the other.
    """
    ours, theirs = (table[table["reading"] == AS_RUN].set_index(KEY)["verdict"] for table in (later, earlier))
    if missing := sorted(set(theirs.index) - set(ours.index)):
        claim, dataset = missing[0]
        raise InputError(
            f"{results / READINGS}: lacks the claim {claim} on {dataset}; readings are added from a study that decides "
            "the claims that are published, that is, with the same experiments in its section readings"
        )
    for (claim, dataset), published in theirs.items():
        verdict = ours[claim, dataset]
        if published != verdict and {published, verdict} <= set(DECIDED):
            raise InputError(
                f"{results / READINGS}: {claim} on {dataset} is {verdict} as the study runs, and {published} in "
                f"{target / READINGS}; readings are added from a study that differs in its readings alone"
            )
    return f"{(theirs == ours.loc[theirs.index]).sum()} of {len(theirs)}"
