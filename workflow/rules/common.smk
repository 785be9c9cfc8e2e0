# The study and its plan, read once from the configuration; what the other rule files share.
import json
import math
import re

from snakemake.settings.types import DeploymentMethod

import zipo

if not (ROOT / "zipo").is_dir() or not os.path.samefile(Path(zipo.__file__).parent, ROOT / "zipo"):
    raise WorkflowError(
        f"{ROOT}: planning has loaded the package at {zipo.__file__}; give the Snakefile of a clone of ZiPo on this "
        "machine, and import no other zipo before it"
    )

from zipo import figures
from zipo.benchmark import plan as benchmark
from zipo.shared.errors import InputError
from zipo.study import resources
from zipo.study.config import load, load_claims, parameters_of, resolved
from zipo.study.import_closure import closure, submodules
from zipo.study.layers import Layers, layers
from zipo.study.settings import Setting, base_settings, block_name, blocks_of, seeds_of_block, settings_of

CLAIMS = Path(os.path.relpath(ROOT / "config" / "claims.yaml"))
# Snakemake made the environments itself, and runs each rule in its own
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
# jobs run the package of this tree by this command and this Python; a method may call the latter by `python` too
COMMANDS = ROOT / "workflow" / "bin"
if not (COMMANDS / "zipo").stat().st_mode & 0o100:
    raise WorkflowError(f"{COMMANDS / 'zipo'}: not executable, which jobs need it to be; run chmod +x on it")
os.environ |= {
    "PATH": os.pathsep.join([str(COMMANDS), os.path.dirname(sys.executable), *os.get_exec_path()]),
    "ZIPO_PYTHON": "python" if CONDA else sys.executable,
}

try:
    if workflow.modifier.skip_configfile:
        given = Layers([(f"config of module {workflow.modifier.namespace}", dict(config))])
    else:
        given = layers(map(Path, STUDY_FILES), workflow.config_settings.config_args or [])
    STUDY = load(
        given.values,
        given.place_of,
        Path(os.path.relpath(ROOT / "config")),
        synapse_token="SYNAPSE_AUTH_TOKEN" in os.environ,
    )
    SETTINGS = settings_of(STUDY)
    ROWS = STUDY.rows
    load_claims(CLAIMS)  # a claim that will not do is refused before anything starts
except InputError as error:
    raise WorkflowError(str(error)) from None
if workflow.modifier.modify_path("results/study", "output") != "results/study":
    raise WorkflowError(
        f"module {workflow.modifier.namespace}: its files are in results/{STUDY.file.study} and nowhere else; leave out "
        "prefix and replace_prefix, and give the study a name of its own, or run in another folder by --directory"
    )

RESULTS = f"results/{STUDY.file.study}"
DOWNLOADS = Path("results/downloads")
TUNING = STUDY.tuning
TABLES = [
    *(["runs", "embeddings", "clusters"] if SETTINGS else []),
    "totals",
    *(["trials"] if TUNING else []),
    *(["leaderboard", "zeros", "places"] if ROWS else []),
]
FIGURES = figures.drawable(set(STUDY.experiments), TABLES)
SOURCES = {name: dataset.source for name, dataset in STUDY.datasets.items()}
FETCHED = {
    file.relative_to(DOWNLOADS).as_posix(): source
    for source in SOURCES.values()
    if (file := source.download(DOWNLOADS)) is not None
}
LEFT_OUT = (
    f"Left out: {', '.join(STUDY.left_out)}, since access is controlled and SYNAPSE_AUTH_TOKEN is not set."
    if STUDY.left_out
    else ""
)
if workflow.modifier.is_main_snakefile():  # for the report
    config.update(given.values, left_out=LEFT_OUT)
if LEFT_OUT:
    logger.warning(LEFT_OUT)
# for figures
ABOUT = {
    "study": STUDY.file.study,
    "title": STUDY.file.title,
    "datasets": {name: dataset.title for name, dataset in STUDY.datasets.items()},
    "parameters": parameters_of(STUDY.file.parameters.model_dump(exclude_unset=True), "parameters").model_dump(),
}
# what a claim may refer to beside the runs
CLAIMED = {
    "title": STUDY.file.title,
    "experiments": {
        name: {"datasets": STUDY.datasets_of(name), "base": base} for name, base in base_settings(STUDY).items()
    },
    "left_out": STUDY.left_out,
}


def refuse(target, needed):
    """Raise WorkflowError for a target that the study does not make."""
    raise WorkflowError(f"{target}: the study {STUDY.file.study} has no {needed}, so there is none")


def any_of(names):
    """A pattern that matches these names and nothing else."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


wildcard_constraints:
    download=any_of(FETCHED),
    dataset="|".join(STUDY.datasets),
    setting=any_of(SETTINGS),
    row=any_of(ROWS),
    environment=any_of({row.method.env for row in ROWS.values() if row.method.env}),
    counts="(split|permuted)-[0-9]+",
    split="[0-9]+",
    seed="[0-9]+",
    seeds="[0-9]+(-[0-9]+)?",
    figure=any_of(FIGURES),
    worker="[0-9]+",
    page="[a-z0-9-]+",


def code(*modules):
    """Files of the package that results of these modules depend on, so that an edit of one reruns the rule."""
    return [os.path.relpath(file) for file in closure(*modules)]


def reading_code(wildcards):
    """The files of the package that a data set's contents depend on."""
    return code("zipo.datasets.prepare", type(SOURCES[wildcards.dataset]).__module__)


def raw_counts(wildcards):
    """The files that a data set is read from: downloads, or files of your own."""
    return [str(path) for path in SOURCES[wildcards.dataset].inputs(DOWNLOADS)]


def fetch_settings(wildcards):
    """The settings of the study that decide what a source fetches, as JSON."""
    settings = {
        "geo_url": STUDY.file.geo_url,
        "lock": STUDY.file.lock or os.path.relpath(ROOT / "config" / "data.lock.tsv"),
    }
    return json.dumps({name: settings[name] for name in FETCHED[wildcards.download].fetch_settings})


def block_names(setting):
    """Names of a setting's blocks of seeds, as in 1-12."""
    return [block_name(block) for block in blocks_of(SETTINGS[setting].seeds, STUDY.file.seeds_per_job)]


def data_of(dataset):
    """The file of a data set."""
    return f"{RESULTS}/data/{dataset}.h5ad"


def size_of(dataset):
    """The size of a data set; where it is not known yet, Snakemake asks again later."""
    return resources.size_of(STUDY.datasets[dataset], Path(data_of(dataset)))


def memory_of(setting):
    """MB that a job of a setting needs."""
    needed = resources.memory_mb(size_of(setting.dataset), setting.parameters, STUDY.file.device != "cpu")
    return max(2000, needed)  # on a cluster, two processes of Snakemake stand beside the training


def growing(amount, attempt):
    """What an attempt asks for: twice as much as the one before, up to four times."""
    return amount * 2 ** min(attempt - 1, 2)


def within_limit(minutes):
    """Minutes that a job asks for, at most those of the study's max_minutes."""
    return min(minutes, STUDY.file.max_minutes or minutes)


def minutes_of(setting, runs):
    """Minutes that a job needs for some runs of a setting."""
    size, gpu = size_of(setting.dataset), STUDY.file.device != "cpu"
    return resources.minutes(size, setting.parameters, runs, gpu, STUDY.file.threads)


def all_runs():
    """Files of rows of every setting and block."""
    return [f"{RESULTS}/runs/{setting}/seeds-{name}.json" for setting in SETTINGS for name in block_names(setting)]


def latent_space():
    """Data set file and latents file of every setting whose latents are looked at."""
    chosen = [(name, setting) for name, setting in SETTINGS.items() if setting.keep_latents]
    return [
        (data_of(setting.dataset), f"{RESULTS}/runs/{name}/latents-{block_names(name)[0]}.npz")
        for name, setting in chosen
    ]


def tuning_files():
    """What the search for hyper-parameters leaves for a reader, if the study has one."""
    if not TUNING:
        return []
    pictures = expand(f"{RESULTS}/figures/tuning-{{name}}.png", name=["history", "importances"])
    return [f"{RESULTS}/trials.tsv", f"{RESULTS}/best.yaml", *pictures]


def files_of_figure(name):
    """The files of one figure; WorkflowError where the study does not draw it."""
    if name not in FIGURES:
        drawn = figures.load(name)
        missing = [f"experiment {e}" for e in drawn.experiments if e not in STUDY.experiments]
        missing += [f"table {table}" for table in figures.tables_of(drawn) if table not in TABLES]
        raise WorkflowError(
            f"{name}: the study {STUDY.file.study} has no {', no '.join(missing)}, from which it is drawn; its figures "
            f"are {', '.join(FIGURES)}"
        )
    return expand(f"{RESULTS}/figures/{name}.{{kind}}", kind=["png", "pdf", "tsv", "html"])


def figure_files():
    """All files of all figures that the study's experiments allow."""
    return [file for name in FIGURES for file in files_of_figure(name)]


def runs_files():
    """The table of runs, if the study has experiments."""
    return [f"{RESULTS}/runs.parquet", f"{RESULTS}/runs.tsv"] if SETTINGS else []


def benchmark_files():
    """What the comparison of methods leaves for a reader, if the study has one."""
    names = ["scores.tsv", "leaderboard.tsv", "leaderboard.html"]
    return [f"{RESULTS}/{name}" for name in names if ROWS]


def claims_files():
    """The verdicts on the paper's claims, as a table and as a page, if the study has experiments."""
    if not SETTINGS:
        return []
    return [f"{RESULTS}/claims.tsv", f"{RESULTS}/claims.html"]
