"""The counts that methods denoise, made from data sets of the catalogue: what Snakemake's rules do in a study."""

import sys
from pathlib import Path

from zipo.benchmark import cli as steps
from zipo.commands.benchmark.kept import Kept
from zipo.commands.benchmark.setup import Setup
from zipo.datasets.prepare import prepare
from zipo.datasets.prepared import checksum_file
from zipo.datasets.source import Fetching
from zipo.shared.digest import digest
from zipo.study.benchmark_plan import RunFiles


def prepare_data(setup: Setup, name: str, downloads: Path, kept: Kept) -> None:
    """Fetch, check and filter a data set, unless that was done; InputError if it cannot be had."""
    dataset, target = setup.datasets[name], Path(setup.plan.paths.data(name))
    file = dataset.source.download(downloads)
    if file is not None and not file.exists():
        print(f"{name}: fetching it into {downloads}", file=sys.stderr)
        dataset.source.fetch(file, Fetching(lock=downloads / "data.lock.tsv"))
    made_from = digest(filter(Path.is_file, dataset.source.inputs(downloads)), dataset.model_dump(mode="json"))
    if not kept.has(target, made_from):
        prepare(name, dataset, downloads, target)
        kept.add(target, made_from)


def make_counts(setup: Setup, run: RunFiles, kept: Kept) -> str:
    """Make the counts of a run and what is held out of them, unless they are there; a digest of their source."""
    paths, name = setup.plan.paths, run.dataset
    target = Path(run.counts)
    if run.kind in ("permuted", "rare"):
        source = Path(paths.counts(name, f"split-{run.split}"))
        cell_type = setup.benchmark.rare[name] if run.kind == "rare" else ""
        of_split = _make_molecules(setup, name, "split", run.split, source, kept)
        made_from = digest([], [of_split, run.kind, cell_type, run.split])
        if not kept.has(target, made_from):
            if run.kind == "rare":
                steps.rarefy(source, target, cell_type, run.split)
            else:
                steps.permute(source, target, run.split)
            kept.add(target, made_from)
        return made_from
    return _make_molecules(setup, name, run.kind, run.split, target, kept)


def _make_molecules(setup: Setup, name: str, kind: str, split: int, target: Path, kept: Kept) -> str:
    """Training and held-out molecules of a split."""
    data, share = Path(setup.plan.paths.data(name)), setup.plan.share_of(kind)
    made_from = digest([checksum_file(data)], [kind, share, split])
    if not kept.has(target, made_from):
        steps.molecules(data, target, Path(setup.plan.paths.held_out(name, f"{kind}-{split}")), share, split)
        kept.add(target, made_from)
    return made_from
