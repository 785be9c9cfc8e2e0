"""Check of a study's files without Snakemake, whose own reader ends in a traceback over some files."""

import os
from pathlib import Path

from zipo.shared.errors import InputError
from zipo.study.added_files import check_added_files
from zipo.study.claims.catalogue import load_claims
from zipo.study.code_version import ROOT
from zipo.study.config import load
from zipo.study.layers import layers
from zipo.study.readings.planning import all_settings, check_claims


def check(files: list[Path], options: list[str]) -> str:
    """Check a study of some files and options KEY=VALUE, and return how much it would run and what it leaves out.

    The catalogues are those of the repository that holds this package. Raises InputError with the first problem.
    """
    configuration, folder = layers(files, options), Path(os.path.relpath(ROOT / "config"))
    study = load(configuration.values, configuration.place_of, folder, synapse_token="SYNAPSE_AUTH_TOKEN" in os.environ)
    settings = all_settings(study)
    check_claims(study, load_claims(folder / "claims.yaml"), str(folder / "claims.yaml"))
    check_added_files(study, folder)
    for file in files:
        _check_that_snakemake_reads(file)
    runs = sum(len(setting.seeds) for setting in settings.values())
    counts = {"data sets": len(study.datasets), "settings": len(settings), "runs": runs}
    counts |= {"trials": study.tuning.trials if study.tuning else 0, "methods compared": len(study.rows)}
    planned = ", ".join(f"{name}: {count}" for name, count in counts.items() if count)
    return f"{configuration.places}: good; {planned}" + (f". {study.left_out_in_words}" if study.left_out else "")


def _check_that_snakemake_reads(file: Path) -> None:
    """Raises InputError for a file that Snakemake cannot read: by its YAML 1.1, some text is a date and no such day."""
    from snakemake.common.configfile import load_configfile

    try:
        load_configfile(file)
    except Exception as error:  # whatever its reader meets
        raise InputError(
            f"{file}: Snakemake cannot read it ({error}); put text that looks like a date, such as the encoder "
            "1024-64-16, in quotes"
        ) from None
