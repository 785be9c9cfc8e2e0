# The whole study: `snakemake` runs config/demo.yaml, `snakemake --configfile FILE` another study.
import os
import sys

from snakemake.utils import min_version, validate

min_version("9.0")
sys.path.insert(0, workflow.basedir)  # this tree's package plans, whatever is installed
os.environ |= {"PATH": os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()])}

STUDY_FILES = [os.path.relpath(file) for file in workflow.overwrite_configfiles] or ["config/demo.yaml"]
if not workflow.overwrite_configfiles:

    configfile: STUDY_FILES[0]


report: "workflow/report/study.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/compared.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/report.smk"


# Where jobs go to a cluster, these run where Snakemake does: they need the network, or little time and memory.
localrules:
    fetch_wheel,
    fetch_geo,
    fetch_synapse,
    fetch_url,
    environment,
    molecules,
    permute,
    scores_table,
    leaderboard,
    table_1,
    runs_table,
    figure,
    page,
    claims,
    provenance,
    report,
    all,


if TUNING:

    localrules:
        tune_summary,


rule all:
    default_target: True
    input:
        runs_files(),
        f"{RESULTS}/table-1.tsv",
        figure_files(),
        tuning_files(),
        claims_files(),
        benchmark_files(),
        f"{RESULTS}/report.html",
