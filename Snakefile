# The whole study: `snakemake` runs config/demo.yaml, `snakemake --configfile FILE` another study.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")
# this tree, wherever the working folder is and whoever includes this file
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False))
sys.path.insert(0, str(ROOT))  # its package plans, whatever is installed

STUDY_FILES = [os.path.relpath(file) for file in workflow.overwrite_configfiles or [ROOT / "config" / "demo.yaml"]]
if not workflow.overwrite_configfiles:

    configfile: STUDY_FILES[0]


report: "workflow/report/study.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/readings.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        PLAN.runs_files,
        PATHS.file("table-1.tsv"),
        PLAN.figure_files,
        PLAN.tuning_files,
        PLAN.claims_files,
        PLAN.readings_files,
        PLAN.benchmark_files,
        PATHS.file("report.html"),


include: "workflow/rules/targets.smk"


onstart:
    logger.info(
        f"{STUDY.file.title}: results will be in {os.path.abspath(RESULTS)}, logs of its jobs in logs/ there",
        extra={"about_study": True},
    )
