"""What the commands do: everything that can be refused is looked at before anything is trained."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import anndata as ad

from zipo.commands import inputs, outputs, run, settings
from zipo.commands import programs as of_programs
from zipo.commands.genes import chosen
from zipo.commands.progress import Teller
from zipo.commands.stopping import Stop
from zipo.commands.zeros import zero_shares
from zipo.datasets.formats.whole_numbers import counts_elsewhere, whole_layers_of
from zipo.datasets.raw_counts import CountsInData
from zipo.engine.checkpoints import Checkpoints
from zipo.engine.devices import usable
from zipo.model import slots
from zipo.model.covariates import Covariates
from zipo.model.estimator import ZiPo
from zipo.model.output import check_room, write
from zipo.model.saved import check_target
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv


class Counts(NamedTuple):
    """Which counts, as a user names them."""

    source: Path
    layer: str | None
    genes_in: Literal["rows", "columns"] | None
    genes: str | None = None

    def check(self, written: dict[str, Path | None]) -> None:
        """Raise InputError unless the counts are in a known format and none of their files is to be written.

        `written` are the paths to write to, by the arguments that give them.
        """
        inputs.format_of(self.source)
        outputs.check_apart(written, [self.source, *inputs.files_of(self.source)])

    def elsewhere(self) -> AbstractContextManager[None]:
        """Within the context a refusal of values that are no counts says where the file has some."""
        return counts_elsewhere(lambda: whole_layers_of(self.source))

    def read(self, teller: Teller) -> CountsInData:
        """The counts of the genes that take part, and what belongs to them."""
        given = inputs.read(self.source, self.layer, self.genes_in)
        if given.left_out:
            teller.say(given.left_out)
        return given if self.genes is None else given.of_genes(chosen(given.counts, self.genes, str(self.source)))


class Fit(NamedTuple):
    """How to train, as a user says it."""

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
        """The parameters that were given; InputError for those that will not do, and for a device that is not here."""
        usable(self.device)
        options = {"likelihood": self.likelihood, "max_epochs": self.epochs, "covariates": self.covariates}
        return settings.given(self.settings, options, self.assignments or [])


def denoise(
    counts: Counts,
    how: Fit,
    target: Path,
    folder: Path | None,
    batch: Sequence[str],
    rates: bool,
    log: Path | None,
    stop: Stop,
) -> None:
    """Train on counts, then write them denoised, and keep the model in a folder if one is given."""
    parameters = how.parameters()
    counts.check({"OUT": target, "--model": folder, "--log": log})
    outputs.check_file(target)
    outputs.check_checkpoints(target)
    if folder is not None:
        _check_model(folder, [target, log])
    teller = Teller(log)
    with counts.elsewhere():
        given = counts.read(teller)
        adata = given.counts
        levels = _levels(batch, Covariates(adata.obs, parameters.get("covariates", ())), adata)
        model = run.model_for(adata, parameters | _keywords(how), teller)
        latents = model.parameters.encoder_widths[-1]
        check_room(given.data, target, rates, latents, "make room, or take fewer genes by --genes")
        checkpoints = _train(model, counts, adata, how, target, teller, stop)
    _write(model, given, target, rates, levels, teller)
    if folder is not None:
        model.save(folder)
    checkpoints.remove()


def fit(counts: Counts, how: Fit, folder: Path, log: Path | None, stop: Stop) -> None:
    """Train on counts and keep the model in a folder."""
    parameters = how.parameters()
    counts.check({"MODEL": folder, "--log": log})
    _check_model(folder, [log])
    outputs.check_checkpoints(folder)
    teller = Teller(log)
    with counts.elsewhere():
        adata = counts.read(teller).counts
        model = run.model_for(adata, parameters | _keywords(how), teller)
        checkpoints = _train(model, counts, adata, how, folder, teller, stop)
    check = slots.checked(model, adata)
    model.save(folder)
    checkpoints.remove()
    teller.say(f"{folder}: written; {check.in_words}")


def apply(
    folder: Path,
    counts: Counts,
    target: Path,
    batch: Sequence[str],
    device: str,
    rates: bool,
    empty_cells: Literal["refuse", "keep"] | None,
    min_genes: float,
    log: Path | None,
) -> None:
    """Write counts denoised by a trained model, which has its own way with empty cells unless one is given."""
    from zipo.model.alignment import aligned_with_all

    counts.check({"OUT": target, "--log": log})
    outputs.check_file(target)
    model = ZiPo.load(folder, device)
    model.empty_cells = empty_cells or model.empty_cells
    teller = Teller(log)
    with counts.elsewhere():
        source = inputs.read(counts.source, counts.layer, counts.genes_in)
        given, alignment = aligned_with_all(source, model.genes, min_genes)
        teller.say(alignment.message)
        if given.left_out:
            teller.say(given.left_out)
        levels = _levels(batch, model.covariates, given.counts)
        check_room(given.data, target, rates, model.parameters.encoder_widths[-1])
        _write(model, given, target, rates, levels, teller)


def tune(counts: Counts, how: Fit, output: Path, trials: int, log: Path | None, stop: Stop) -> None:
    """Search for settings; the best so far stand in a file after each trial, and on standard output at the end."""
    parameters = how.parameters()
    counts.check({"--output": output, "--log": log})
    outputs.check_replaceable(output, settings.is_written, "another by --output")
    teller = Teller(log)
    with counts.elsewhere():
        adata = counts.read(teller).counts
        run.model_for(adata, parameters | _keywords(how), teller)
        _search(adata, parameters, how, output, trials, teller, stop)


def _search(
    adata: ad.AnnData, parameters: dict[str, Any], how: Fit, output: Path, trials: int, teller: Teller, stop: Stop
) -> None:
    """Try settings, and tell how each fared."""
    from zipo.commands.tuning import search

    # the epochs are the search's budget, no finding, and would cut short whatever starts from the best
    kept = {name: value for name, value in parameters.items() if name != "max_epochs"}
    best: dict[str, Any] = {}
    for trial in search(adata, parameters, trials, **_keywords(how)):
        outcome = "cut short" if trial.nll != trial.nll else f"validation NLL {trial.nll:.4f}"
        word = ", the lowest so far" if trial.best else ""
        teller.say(f"trial {trial.number} of {trials}: {outcome}{word}; {settings.as_options(trial.values)}")
        if trial.best:
            best = kept | trial.values
            settings.write(best, output)
            stop.advice = f"the best so far is in {output}, for --settings"
    if not best:
        raise InputError("none of the trials came to its end; lower the learning rate by --set learning_rate=VALUE")
    teller.say(f"{output}: written, for --settings {output}; or paste the options:")
    print(settings.as_options(best))


def programs(folder: Path, threshold: float, top: int, tsv: Path | None) -> None:
    """Print gene programs, or write them as a table."""
    if tsv is not None:
        outputs.check_replaceable(tsv, of_programs.is_written, "another by --tsv")
    model = ZiPo.load(folder, "cpu")
    if tsv is not None:
        write_tsv(of_programs.programs(model, threshold), tsv)
        return
    for line in of_programs.in_lines(of_programs.programs(model, threshold, top)):
        print(line)


def _check_model(folder: Path, written: Sequence[Path | None]) -> None:
    """Raise InputError unless a folder can be a model's, and none of the other paths to write to lies in it."""
    check_target(folder)
    outputs.check_outside(folder, written)
    outputs.check_folder_of(folder)


def _keywords(how: Fit) -> dict[str, Any]:
    return {"seed": how.seed, "device": how.device, "empty_cells": how.empty_cells}


def _train(
    model: ZiPo, counts: Counts, adata: ad.AnnData, how: Fit, target: Path, teller: Teller, stop: Stop
) -> Checkpoints:
    """Train a model; its checkpoints are returned, to be removed once its results are written."""
    reading = [counts.layer, counts.genes_in]
    checkpoints = run.checkpoints_of(model, adata, counts.source, reading, target, how.resume, teller)
    run.train(model, adata, checkpoints, teller, stop)
    return checkpoints


def _write(
    model: ZiPo, given: CountsInData, target: Path, rates: bool, levels: dict[str, Any] | None, teller: Teller
) -> None:
    shares = zero_shares(model, given.counts)
    with teller.cells(given.counts.n_obs) as on_cells:
        check = write(model, given, target, rates=rates, batch=levels, on_cells=on_cells, of_genes=shares)
    teller.say(f"{target}: written; {check.in_words}")


def _levels(batch: Sequence[str], covariates: Covariates, adata: ad.AnnData) -> dict[str, Any] | None:
    """The levels to denoise to, as the covariates have them; InputError for unknown ones."""
    if not batch:
        return None
    asked = dict(settings.pair(text, "--batch") for text in batch)
    known = covariates.with_values(adata.obs.head(1), asked)
    return {name: known[name].iloc[0] for name in asked}
