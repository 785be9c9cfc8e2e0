# The study and its plan, read once from the configuration; what the other rule files share.
import json
import os
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from zipo import figures
from zipo.datasets.catalogue import WheelSource
from zipo.datasets.wheel import file_name
from zipo.errors import InputError
from zipo.study.config import load
from zipo.study.settings import blocks, plan

ROOT = Path(workflow.basedir)

try:
    STUDY = load(dict(config), ", ".join(STUDY_FILES), ROOT / "config")
    SETTINGS = plan(STUDY)
except InputError as error:
    raise WorkflowError(str(error)) from None

validate(config, ROOT / "workflow" / "schemas" / "study.schema.json", set_default=False)

RESULTS = f"results/{STUDY.file.study}"
DOWNLOADS = "results/downloads"
FIGURES = figures.drawable(set(STUDY.experiments))
SOURCES = {name: dataset.source for name, dataset in STUDY.datasets.items()}
WHEELS = {file_name(source): source for source in SOURCES.values() if isinstance(source, WheelSource)}
# figures and captions say what was run
ABOUT = {
    "study": STUDY.file.study,
    "title": STUDY.file.title,
    "datasets": {name: dataset.title for name, dataset in STUDY.datasets.items()},
}


wildcard_constraints:
    wheel="|".join(map(re.escape, WHEELS)) or "none",
    dataset="|".join(STUDY.datasets),
    setting="|".join(SETTINGS),
    seeds="[0-9]+(-[0-9]+)?",
    figure="|".join(FIGURES) or "none",


def code(*patterns):
    """Files of the package that a rule depends on, so that an edit of one reruns it."""
    found = sorted({file for pattern in patterns for file in (ROOT / "zipo").glob(pattern)})
    return [os.path.relpath(file) for file in found]


def source_wheel(wildcards):
    """The wheel that a data set is read from, if it is one."""
    source = SOURCES[wildcards.dataset]
    return [f"{DOWNLOADS}/{name}" for name, wheel in WHEELS.items() if wheel == source]


def block_names(setting):
    """Names of a setting's blocks of seeds, as in 1-12."""
    found = blocks(SETTINGS[setting].seeds, STUDY.file.seeds_per_job)
    return [f"{block[0]}-{block[-1]}" if len(block) > 1 else str(block[0]) for block in found]


def seeds_of(wildcards):
    """The seeds of a block, joined by commas."""
    first, _, last = wildcards.seeds.partition("-")
    return ",".join(str(seed) for seed in range(int(first), int(last or first) + 1))


def all_runs():
    """Files of rows of every setting and block."""
    return [f"{RESULTS}/runs/{setting}/seeds-{name}.json" for setting in SETTINGS for name in block_names(setting)]


def figure_files():
    """All files of all figures that the study's experiments allow."""
    return expand(f"{RESULTS}/figures/{{figure}}.{{kind}}", figure=FIGURES, kind=["png", "pdf", "tsv"])
