"""Publishes what a study found: its tables of verdicts, small pictures, where it ran, and a page made from them."""

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from zipo import figures
from zipo.shared.atomic_files import atomic_folder, temporary_folders
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv
from zipo.shared.yaml_files import read_yaml
from zipo.study.findings.page import OF_READINGS, picture_of, text
from zipo.study.findings.tables import CLAIMS, LEADERBOARD, PROVENANCE, RANKS, READINGS, by_figure, methods_of, read_tsv
from zipo.study.provenance import provenance
from zipo.study.publish import PAGE, check_folder, check_size, is_page_of

NEEDED = (CLAIMS, "runs.parquet", "config.yaml")
PUBLISHED = (PAGE, CLAIMS, READINGS, RANKS, PROVENANCE)
"""What findings consist of, beside the pictures that their page shows."""
WIDTH, WIDTH_OF_READINGS = 900, 1800
"""Pixels of a picture on a page, and of that of the readings, whose many cells hold text."""
COLOURS = 64
"""Colours of a picture, which make it a fraction as large."""


def publish(results: Path, target: Path, leaderboard: Path | None = None) -> None:
    """Write the verdicts of a study, small pictures and index.md into the folder `target`, which they replace.

    `results` is the folder of a finished study, as results/verdicts; of what lies there only those readings and
    pictures are taken that its config.yaml asks for, as others stay when that changes. `leaderboard` is the folder of a
    published benchmark, as docs/leaderboard, or of a study that may have one, for ZiPo's place among methods. Raises
    InputError where a file of the study is missing, where `target` holds anything that is no part of findings, where
    the files are too large, and where they cannot be written; then `target` stays as it was.
    """
    for name in NEEDED:
        if not (results / name).is_file():
            raise InputError(f"{results / name}: not there; run the study to its end by snakemake first")
    check_target(target, results)
    if leaderboard and not leaderboard.is_dir():
        raise InputError(
            f"{leaderboard}: no such folder; give that of a published benchmark, as docs/leaderboard, or leave the "
            "option leaderboard out"
        )
    claims, config = read_tsv(results / CLAIMS), read_yaml(results / "config.yaml")
    readings = read_tsv(results / READINGS) if has_readings(config) else pd.DataFrame()
    with TemporaryDirectory() as made:
        folder = Path(made)
        write_tsv(claims, folder / CLAIMS)
        if len(readings):
            write_tsv(readings, folder / READINGS)
        ours = methods_of(leaderboard / LEADERBOARD) if leaderboard else []
        if leaderboard and ours:
            shutil.copyfile(leaderboard / RANKS, folder / RANKS)
        questions = questions_of(results) if len(readings) else {}
        facts = {"methods": ours, "questions": questions} | provenance_of(results)
        (folder / PROVENANCE).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        drawn, names = figures_of(config), [picture_of(figure) for figure, _ in by_figure(claims)]
        for name in [*names, OF_READINGS] if len(readings) else names:
            if Path(name).stem in drawn and (results / "figures" / name).is_file():
                shrink(results / "figures" / name, folder / name)
        (folder / PAGE).write_text(text(folder), encoding="utf-8")
        check_size(folder, f"{results}: its findings")
        with atomic_folder(target) as part:
            for file in folder.iterdir():
                shutil.copyfile(file, part / file.name)


def check_target(target: Path, results: Path) -> None:
    """Raise InputError unless a folder is free for findings: missing, empty, or holding findings and nothing else."""
    check_folder(target)
    for name, folder in (("the study's results", results), ("the working folder", Path())):
        if folder.resolve().is_relative_to(target.resolve()):
            raise InputError(f"{target}: is or holds {name}; name a folder for findings alone")
    for folder in (target, *temporary_folders(target)):  # the latter are removed when findings are written
        if others := _foreign(folder):
            raise InputError(
                f"{folder}: holds {others[0]}, which `zipo study findings` has not written there; name a folder for "
                "findings alone, or move that away"
            )


def _foreign(folder: Path) -> list[str]:
    """Names of what a folder holds that is no part of published findings: all where their page is missing."""
    names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    page = folder / PAGE
    if not is_page_of("findings", page):
        return names
    shown = page.read_text(encoding="utf-8", errors="replace")
    own = [name for name in names if name in PUBLISHED or f"]({name})" in shown]
    return [name for name in names if name not in own or not (folder / name).is_file()]


def has_readings(config: dict[str, Any]) -> bool:
    """Whether a study has readings; those that an earlier configuration of it had may still lie in its folder."""
    return config.get("readings") is not None


def figures_of(config: dict[str, Any]) -> Collection[str]:
    """Names of the figures that a study draws of its runs, its search and its readings, as figure-08."""
    tables = ["runs", "totals", "embeddings", "clusters"]
    tables += ["trials"] if config.get("tuning") is not None else []
    tables += ["readings"] if has_readings(config) else []
    return figures.drawable(set(config.get("experiments", {})), tables)


def questions_of(results: Path) -> dict[str, str]:
    """The text of each question that the study's readings answer, by its name."""
    file = results / "readings.parquet"
    if not file.is_file():
        return {}
    questions = pd.read_parquet(file, columns=["question", "text"]).drop_duplicates().query("question != ''")
    return dict(zip(questions["question"], questions["text"], strict=True))


def provenance_of(results: Path) -> dict[str, Any]:
    """The study's title, and names and values of what it ran on, with which versions, and what it cost."""
    runs, config = pd.read_parquet(results / "runs.parquet"), read_yaml(results / "config.yaml")
    ran = {"study": config["study"], "data sets": ", ".join(config["datasets"]), "seeds": int(runs["seed"].nunique())}
    return {"title": config["title"], "ran": ran | dict(_plain(provenance(runs)))}


def _plain(table: pd.DataFrame) -> list[tuple[str, Any]]:
    """Names and values of a table as JSON has them."""
    values = [value.item() if isinstance(value, np.generic) else value for value in table["value"]]
    return list(zip(table["name"], values, strict=True))


def shrink(source: Path, target: Path) -> None:
    """A picture in the size of a page and in few colours."""
    from PIL import Image

    image = Image.open(source).convert("RGB")
    width = WIDTH_OF_READINGS if target.name == OF_READINGS else WIDTH
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    image.quantize(COLOURS).save(target, optimize=True)
