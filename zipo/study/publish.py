"""Publishes the leaderboard of a benchmark: its small tables, where it ran, and a page made from them."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from zipo.benchmark.leaderboard import leaderboard
from zipo.benchmark.ranks import ranks
from zipo.benchmark.running.launch import Result
from zipo.figures import load
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv
from zipo.study.code_version import git_commit
from zipo.study.paths import Paths, result_of
from zipo.study.published_page import PICTURE, RUNS, read_runs, text

NEEDED = ("scores.parquet", "leaderboard.json")
PAGE = "index.md"
TABLES = ("scores.parquet", "leaderboard.parquet", "leaderboard.tsv", "leaderboard.json", "ranks.tsv", RUNS)
OF_RUN = ["method", "dataset", "kind", "split", "seed"]
OF_RESULT = ["threads", "processor", "finished"]
RUN_COLUMNS = [*OF_RUN, "status", "seconds", "peak_mb", *OF_RESULT, "commit"]
MOST_BYTES = 2_000_000
"""Limit of all files together, which a repository and a site keep for ever."""
EQUAL = 1e-5
"""Relative difference up to which a control's scores are the same: rounding on another machine."""
DEVIANCE = "poisson_deviance"
"""Measure of the controls by which counts are known to be the same."""


def publish(results: Path, target: Path) -> None:
    """Write the tables, a picture of quality against time and index.md into the folder `target`.

    `results` is the folder of a study whose leaderboard is made, as results/benchmark. What `target` has of other data
    sets and methods stays beside it, so that a large benchmark can be run in parts, and a method again. Raises
    InputError where a file of the study is missing, where `target` has files of these names that are of no published
    leaderboard, where what was published is of other counts or splits, and where the files are too large; then `target`
    stays as it was.
    """
    for name in NEEDED:
        if not (results / name).is_file():
            raise InputError(f"{results / name}: not there; make it by snakemake's target leaderboard of the study")
    check_target(target)
    scores = pd.read_parquet(results / "scores.parquet")
    facts = _facts_of(results)
    runs, versions = runs_of(scores, Paths(str(results)))
    for name, words in versions.items():
        facts["rows"][name]["versions"] = words
    if (target / "scores.parquet").is_file():
        earlier = pd.read_parquet(target / "scores.parquet")
        facts = merged_facts(_facts_of(target), facts, target)
        check_same_counts(earlier, scores, facts["controls"], target)
        runs = merged(read_runs(target), runs)
        scores = merged(earlier, scores)
    table = leaderboard(scores, facts["reference"], facts["controls"])
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "leaderboard.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
        scores.to_parquet(folder / "scores.parquet", compression="zstd")
        table.to_parquet(folder / "leaderboard.parquet", compression="zstd")
        table.to_csv(folder / "leaderboard.tsv", sep="\t", index=False, na_rep="NA", float_format="%.4g")
        write_tsv(ranks(table, facts["controls"]), folder / "ranks.tsv")
        write_tsv(runs, folder / RUNS)
        _draw(table, facts, folder / PICTURE)
        (folder / PAGE).write_text(text(folder), encoding="utf-8")
        check_size(folder, f"{results}: its tables and picture")
        target.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            shutil.copyfile(file, target / file.name)


def check_target(target: Path) -> None:
    """Raise InputError unless a folder is free for a leaderboard: others' files, as of a study, are not replaced."""
    check_folder(target)
    replaced = [name for name in (*TABLES, PICTURE, PAGE) if (target / name).exists()]
    if replaced and not is_page_of("publish-leaderboard", target / PAGE):
        raise InputError(
            f"{target / replaced[0]}: not of a published leaderboard, so it is not replaced; name another folder, such "
            "as docs/leaderboard"
        )


def check_folder(target: Path) -> None:
    """Raise InputError where a file stands in place of a folder to publish in, or of one that it is to lie in."""
    nearest = next(path for path in (target, *target.parents) if path.exists())
    if not nearest.is_dir():
        raise InputError(f"{nearest}: this is a file, but what is published goes into a folder; name another")


def is_page_of(command: str, page: Path) -> bool:
    """Whether a file is a page that a command of `zipo study` made."""
    return page.is_file() and f"a page that `zipo study {command}` makes".encode() in page.read_bytes()


def check_size(folder: Path, files: str) -> None:
    """Raise InputError where the files of a folder, which `files` names, are too large to be published."""
    size = sum(file.stat().st_size for file in folder.iterdir())
    if size > MOST_BYTES:
        raise InputError(f"{files} take {size:,} bytes; at most {MOST_BYTES:,} are published")


def runs_of(scores: pd.DataFrame, paths: Paths) -> tuple[pd.DataFrame, dict[str, str]]:
    """A row for each run: how it ended, what it cost, and where, when and by which commit it was published; and the
    versions of packages that each method ran with."""
    runs = scores.drop_duplicates(OF_RUN)[[*OF_RUN, "status", "seconds", "peak_mb"]].reset_index(drop=True)
    folders = [
        paths.method_run(run.method, run.dataset, f"{run.kind}-{run.split}-seed-{run.seed}")
        for run in runs.itertuples()
    ]
    for file in map(result_of, folders):
        if not Path(file).is_file():
            raise InputError(f"{file}: not there; it says where and with which versions a method ran")
    results = [Result.read(Path(folder)) for folder in folders]
    columns = {name: [getattr(result, name) for result in results] for name in OF_RESULT}
    words = [", ".join(f"{name} {version}" for name, version in result.versions.items()) for result in results]
    versions = {row: each for row, each in zip(runs["method"], words, strict=True) if each}
    return runs.assign(**columns, commit=git_commit())[RUN_COLUMNS], versions


def merged(earlier: pd.DataFrame, later: pd.DataFrame, key: Sequence[str] = ("method", "dataset")) -> pd.DataFrame:
    """The later rows, and the earlier ones that have another key."""
    done = pd.MultiIndex.from_frame(later[[*key]].astype(str))
    kept = ~pd.MultiIndex.from_frame(earlier[[*key]].astype(str)).isin(done)
    return pd.concat([earlier[kept], later], ignore_index=True)


def merged_facts(earlier: dict, later: dict, target: Path) -> dict:
    """The facts of both, the later before the earlier; InputError unless the methods ran in the same way."""
    if earlier["how"] != later["how"]:
        differing = [name for name in later["how"] if earlier["how"].get(name) != later["how"][name]]
        raise InputError(
            f"{target}: its methods ran with another {differing[0]} ({earlier['how'].get(differing[0])}, here "
            f"{later['how'][differing[0]]}); remove the folder to publish anew, or run with the same"
        )
    both = {name: earlier[name] | later[name] for name in ("datasets", "rows")}
    both |= {name: list(dict.fromkeys([*earlier[name], *later[name]])) for name in ("controls", "bounds")}
    return later | both


def check_same_counts(earlier: pd.DataFrame, later: pd.DataFrame, controls: list[str], target: Path) -> None:
    """Raise InputError where a control, which is the same in all versions, scores otherwise on the same split."""
    both = pd.merge(
        *(part[(part["metric"] == DEVIANCE) & part["method"].isin(controls)] for part in (earlier, later)), on=OF_RUN
    )
    differ = both[~np.isclose(both["value_x"], both["value_y"], rtol=EQUAL, atol=0)]
    if len(differ):
        row = differ.iloc[0]
        raise InputError(
            f"{target}: {row['method']} on {row['dataset']} has the deviance {row['value_x']:.6g} there and "
            f"{row['value_y']:.6g} here on split {row['split']}: the counts are not the same; remove the folder to "
            "publish anew"
        )


def _facts_of(folder: Path) -> dict:
    return json.loads((folder / "leaderboard.json").read_text(encoding="utf-8"))


def _draw(table: pd.DataFrame, facts: dict, target: Path) -> None:
    """Draw the picture of quality against time."""
    from matplotlib import pyplot

    module = load(PICTURE.removesuffix(".png"))
    study = {"datasets": facts["datasets"]}
    picture = module.draw({"leaderboard": table}, study)
    picture.savefig(target, dpi=100)
    pyplot.close(picture)
