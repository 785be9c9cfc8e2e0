"""What each command of `zipo` does with its options: it checks all input and output first, then trains and writes."""

import math
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anndata as ad

from zipo.commands import inputs, outputs, program_report, resumable_training, settings
from zipo.commands import programs as gene_programs
from zipo.commands.genes import select_genes
from zipo.commands.progress import Reporter
from zipo.commands.stopping import Stop
from zipo.commands.worth.names import CHECK
from zipo.commands.zeros import zero_shares
from zipo.datasets.formats.count_layers import layers_with_counts_in, pointing_to_counts
from zipo.datasets.raw_counts import CountsInData
from zipo.engine.checkpoints import Checkpoints
from zipo.engine.devices import device_named
from zipo.model import slots, targets
from zipo.model.arguments import check_standard_errors
from zipo.model.covariates import Covariates
from zipo.model.estimator import ZiPo
from zipo.model.output import check_room, write
from zipo.model.saved import check_target
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv

if TYPE_CHECKING:
    from zipo.commands.worth.worth import Worth


@dataclass(frozen=True)
class CountsOptions:
    """Options that name the counts to read."""

    source: Path
    layer: str | None = None
    genes_in: Literal["rows", "columns"] | None = None
    genes: str | None = None
    """A number of genes, or a file of names; all genes if None."""

    def check(self, written: dict[str, Path | None]) -> None:
        """Raise InputError unless the counts are in a known format and none of their files is to be written.

        `written` are the paths to write to, by the arguments that give them.
        """
        inputs.format_of(self.source)
        targets.check_apart(written, [self.source, *inputs.files_of(self.source)])

    def hint_at_counts(self) -> AbstractContextManager[None]:
        """Within the context an error about values that are no raw counts says where else the file has some."""
        return pointing_to_counts(lambda: layers_with_counts_in(self.source))

    def read(self, reporter: Reporter) -> CountsInData:
        """The counts of the genes that `genes` selects, and what belongs to them."""
        data = inputs.read(self.source, self.layer, self.genes_in)
        if data.left_out:
            reporter.say(data.left_out)
        return data if self.genes is None else data.of_genes(select_genes(data.counts, self.genes, str(self.source)))


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Options that say how to train."""

    preset: str
    likelihood: str | None
    epochs: int | None
    covariates: Sequence[str] | None
    assignments: Sequence[str] | None
    settings: Path | None
    seed: int
    device: str
    empty_cells: Literal["refuse", "keep"]
    resume: bool = False

    def parameters(self) -> dict[str, Any]:
        """Parameters that a file, an option or --set gives; InputError for a bad value, or a device that is not to be
        had."""
        device_named(self.device)
        options = {"likelihood": self.likelihood, "max_epochs": self.epochs, "covariates": self.covariates}
        return settings.merge(self.settings, options, self.assignments or [])

    def keywords(self) -> dict[str, Any]:
        """Keywords of ZiPo beside its parameters."""
        return {
            "preset": self.preset,
            "seed": self.seed,
            "device": self.device,
            "empty_cells": self.empty_cells,
        }


def denoise(
    counts: CountsOptions,
    options: FitOptions,
    *,
    target: Path,
    folder: Path | None,
    batch: Sequence[str],
    rates: bool,
    standard_errors: bool,
    check: bool,
    log: Path | None,
    stop: Stop,
) -> None:
    """Train on counts and write them denoised, and save the model if a folder is given.

    With `check` the file also holds what denoising is worth on these counts, which is printed.
    """
    parameters = options.parameters()
    counts.check({"OUT": target, "--model": folder, "--log": log})
    targets.check_file(target)
    outputs.check_checkpoints(target)
    if folder is not None:
        _check_model(folder, [target, log])
    reporter = Reporter(log)
    with counts.hint_at_counts():
        data = counts.read(reporter)
        adata = data.counts
        levels = _levels(batch, Covariates(adata.obs, parameters.get("covariates", ())), adata)
        model = resumable_training.model_for(adata, parameters | options.keywords(), reporter)
        latents = model.parameters.encoder_widths[-1]
        if standard_errors:
            check_standard_errors(model.parameters)
        names = slots.slots(rates, standard_errors)
        check_room(data.data, target, names, latents, "make room, or take fewer genes by --genes")
        checkpoints = _train(model, counts, adata, options, target, reporter, stop)
        worth = None
        if check:
            from zipo.commands.worth.action import measured  # brings scikit-learn and scipy, which others do not need

            worth = measured(adata, parameters, reporter, **options.keywords())
    _write(model, data, target, names, levels, reporter, worth)
    if folder is not None:
        model.save(folder)
    checkpoints.remove()
    if worth is not None:
        print(worth.text())


def check(
    counts: CountsOptions, options: FitOptions, *, report: Path | None, picture: Path | None, log: Path | None
) -> None:
    """Print what denoising is worth on counts; write a table of genes and a figure if they are named."""
    from zipo.commands.worth import action as worth_action

    parameters = options.parameters()
    counts.check({"--report": report, "--figure": picture, "--log": log})
    worth_action.check_targets(report, picture)
    reporter = Reporter(log)
    with counts.hint_at_counts():
        adata = counts.read(reporter).counts
        resumable_training.model_for(adata, parameters | options.keywords(), reporter)
        worth = worth_action.measured(adata, parameters, reporter, **options.keywords())
    worth_action.write(worth, report, picture)
    print(worth.text())


def fit(counts: CountsOptions, options: FitOptions, *, folder: Path, log: Path | None, stop: Stop) -> None:
    """Train on counts and save the model in a folder."""
    parameters = options.parameters()
    counts.check({"MODEL": folder, "--log": log})
    _check_model(folder, [log])
    outputs.check_checkpoints(folder)
    reporter = Reporter(log)
    with counts.hint_at_counts():
        adata = counts.read(reporter).counts
        model = resumable_training.model_for(adata, parameters | options.keywords(), reporter)
        checkpoints = _train(model, counts, adata, options, folder, reporter, stop)
    check = slots.checked(model, adata)
    model.save(folder)
    checkpoints.remove()
    reporter.say(f"{folder}: written; {check.in_words}")


def apply(
    folder: Path,
    counts: CountsOptions,
    *,
    target: Path,
    batch: Sequence[str],
    device: str,
    rates: bool,
    standard_errors: bool,
    empty_cells: Literal["refuse", "keep"] | None,
    min_genes: float,
    log: Path | None,
) -> None:
    """Write counts denoised by a trained model; `empty_cells` is the model's own unless it is given."""
    from zipo.model.alignment import aligned_with_all
    from zipo.model.gene_subset import with_shared_genes

    counts.check({"OUT": target, "--log": log})
    targets.check_file(target)
    model = ZiPo.load(folder, device)
    if standard_errors:
        check_standard_errors(model.parameters)
    model.empty_cells = empty_cells or model.empty_cells
    reporter = Reporter(log)
    with counts.hint_at_counts():
        source = inputs.read(counts.source, counts.layer, counts.genes_in)
        model, alignment = with_shared_genes(model, source.counts.var_names, min_genes)
        data, _ = aligned_with_all(source, model.genes)
        reporter.say(alignment.message)
        if data.left_out:
            reporter.say(data.left_out)
        levels = _levels(batch, model.covariates, data.counts)
        names = slots.slots(rates, standard_errors)
        check_room(data.data, target, names, model.parameters.encoder_widths[-1])
        _write(model, data, target, names, levels, reporter)


def tune(
    counts: CountsOptions, options: FitOptions, *, output: Path, trials: int, log: Path | None, stop: Stop
) -> None:
    """Search for settings; the best so far are written after each trial, and printed as options at the end."""
    parameters = options.parameters()
    counts.check({"--output": output, "--log": log})
    targets.check_replaceable(output, settings.is_written, "another by --output")
    reporter = Reporter(log)
    with counts.hint_at_counts():
        adata = counts.read(reporter).counts
        resumable_training.model_for(adata, parameters | options.keywords(), reporter)
        _search(adata, parameters, options, output, trials, reporter, stop)


def _search(
    adata: ad.AnnData,
    parameters: dict[str, Any],
    options: FitOptions,
    output: Path,
    trials: int,
    reporter: Reporter,
    stop: Stop,
) -> None:
    """Train the trials of a search, report on each, and write the best."""
    from zipo.commands.tuning import search

    # not the epochs: they are the search's budget, and would cut short whatever starts from the best
    shared = {name: value for name, value in parameters.items() if name != "max_epochs"}
    best: dict[str, Any] = {}
    preset, best_settings = f"--preset {options.preset}", f"--settings {shlex.quote(str(output))}"
    for trial in search(adata, parameters, trials, **options.keywords()):
        outcome = "cut short" if math.isnan(trial.nll) else f"validation NLL {trial.nll:.4f}"
        word = ", the lowest so far" if trial.best else ""
        reporter.say(f"trial {trial.number} of {trials}: {outcome}{word}; {settings.as_options(trial.values)}")
        if trial.best:
            best = shared | trial.values
            settings.write(best, output)
            stop.advice = f"the best so far is in {output}, for {preset} {best_settings}"
    if not best:
        raise InputError("none of the trials came to its end; lower the learning rate by --set learning_rate=VALUE")
    reporter.say(f"{output}: written, for {preset} {best_settings}; or paste the options:")
    print(preset, settings.as_options(best))


def programs(
    folder: Path, counts: CountsOptions | None, options: program_report.ReportOptions, given: Sequence[str]
) -> None:
    """Print and write gene programs: with counts as they are in those cells, without as weights alone.

    `given` are the options in use that need counts.
    """
    if counts is not None:
        program_report.report(folder, counts, options)
        return
    if given:
        raise InputError(f"{given[0]}: needs cells; give their counts after the model, zipo programs MODEL COUNTS")
    if options.tsv is not None:
        targets.check_replaceable(options.tsv, gene_programs.is_written, "another by --tsv")
    model = ZiPo.load(folder, "cpu")
    if note := gene_programs.how_to_read(model):
        Reporter().say(note)
    if options.tsv is not None:
        write_tsv(gene_programs.programs(model, options.threshold), options.tsv)
        return
    for line in gene_programs.in_lines(gene_programs.programs(model, options.threshold, options.top)):
        print(line)


def _check_model(folder: Path, written: Sequence[Path | None]) -> None:
    """Raise InputError unless a folder can be a model's, and none of the other paths to write to lies in it."""
    check_target(folder)
    targets.check_folder_of(folder)
    outputs.check_outside(folder, written)


def _train(
    model: ZiPo,
    counts: CountsOptions,
    adata: ad.AnnData,
    options: FitOptions,
    target: Path,
    reporter: Reporter,
    stop: Stop,
) -> Checkpoints:
    """Train a model; its checkpoints are returned, to be removed once its results are written."""
    reading = [counts.layer, counts.genes_in]
    checkpoints = resumable_training.checkpoints_of(
        model, adata, counts.source, reading, target, options.resume, reporter
    )
    resumable_training.train(model, adata, checkpoints, reporter, stop)
    return checkpoints


def _write(
    model: ZiPo,
    data: CountsInData,
    target: Path,
    names: list[str],
    levels: dict[str, Any] | None,
    reporter: Reporter,
    worth: "Worth | None" = None,
) -> None:
    more: dict[str, Any] = {"of_genes": zero_shares(model, data.counts)}
    if worth is not None:
        more["of_genes"] |= worth.of_genes()
        more |= {"of_cells": worth.of_cells(data.counts.obs_names), "also": {CHECK: worth.state()}}
    with reporter.cells(data.counts.n_obs) as on_cells:
        check = write(model, data, target, names, batch=levels, on_cells=on_cells, **more)
    reporter.say(f"{target}: written; {check.in_words}")


def _levels(batch: Sequence[str], covariates: Covariates, adata: ad.AnnData) -> dict[str, Any] | None:
    """The levels to denoise to, as the covariates have them; InputError for unknown ones."""
    if not batch:
        return None
    levels = dict(settings.pair(text, "--batch") for text in batch)
    known = covariates.with_values(adata.obs.head(1), levels)
    return {name: known[name].iloc[0] for name in levels}
