"""Check of the files that anyone may add to the package, figures and metrics, before a study starts."""

from pathlib import Path

from zipo import figures
from zipo.shared.declarations import OF_METRICS, check_sources
from zipo.shared.errors import InputError
from zipo.shared.yaml_files import read_yaml
from zipo.study.config import Study


def check_added_files(study: Study, folder: Path) -> None:
    """Raises InputError for a figure that cannot be drawn, and for a metric if the study compares methods.

    `folder` is that of the catalogues. A method with a fault is no error, but a row that says so.
    """
    catalogue = folder / "experiments.yaml"
    known = read_yaml(catalogue)
    for figure in figures.discover().values():
        if unknown := [name for name in figure.experiments if name not in known]:
            raise InputError(
                f"{figure.__file__}: experiments: {unknown[0]!r} is not in {catalogue}; expected a tuple of names "
                'from there, such as ("alpha_w",)'
            )
    if study.rows:
        check_sources("zipo.metrics", OF_METRICS)
