# The study and its plan, read once from the configuration; what the other rule files share.
import json
import re

from snakemake.settings.types import DeploymentMethod

import zipo

if not (ROOT / "zipo").is_dir() or not os.path.samefile(Path(zipo.__file__).parent, ROOT / "zipo"):
    raise WorkflowError(
        f"{ROOT}: planning has loaded the package at {zipo.__file__}; give the Snakefile of a clone of ZiPo on this "
        "machine, and import no other zipo before it"
    )

from zipo import figures
from zipo.shared.errors import InputError
from zipo.study import facts
from zipo.study.added_files import check_added_files
from zipo.study.benchmark_plan import files_of_runs, runs_as_json
from zipo.study.claims.catalogue import load_claims
from zipo.study.config import load, resolved
from zipo.study.import_closure import closure, imported_by_command, submodules
from zipo.study.layers import Layers, layers
from zipo.study.paths import ENVIRONMENTS, environment_file, result_of
from zipo.study.plan import Plan
from zipo.study.readings.facts import ReadingFacts
from zipo.study.readings.planning import check_claims
from zipo.study.settings import seeds_of_block

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
        configuration = Layers([(f"config of module {workflow.modifier.namespace}", dict(config))])
    else:
        configuration = layers(map(Path, STUDY_FILES), workflow.config_settings.config_args or [])
    STUDY = load(
        configuration.values,
        configuration.place_of,
        Path(os.path.relpath(ROOT / "config")),
        synapse_token="SYNAPSE_AUTH_TOKEN" in os.environ,
    )
    PLAN = Plan.of(STUDY, ROOT)
    # a claim, figure or metric that will not do is refused before anything starts
    check_claims(STUDY, load_claims(CLAIMS), str(CLAIMS))
    check_added_files(STUDY, CLAIMS.parent)
except InputError as error:
    raise WorkflowError(str(error)) from None
if workflow.modifier.modify_path("results/study", "output") != "results/study":
    raise WorkflowError(
        f"module {workflow.modifier.namespace}: its files are in results/{STUDY.file.study} and nowhere else; leave out "
        "prefix and replace_prefix, and give the study a name of its own, or run in another folder by --directory"
    )

PATHS = PLAN.paths
RESULTS = PATHS.results
SETTINGS = PLAN.settings
BENCHMARK = PLAN.benchmark
LEFT_OUT = STUDY.left_out_in_words
if workflow.modifier.is_main_snakefile():  # for the report
    # its first page, once it is made
    FRONT = PATHS.file("front.html")
    config.update(configuration.values, left_out=LEFT_OUT, front=FRONT if os.path.isfile(FRONT) else "")
if LEFT_OUT:
    logger.warning(LEFT_OUT)


def one_of(names):
    """A pattern that matches these names and nothing else."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


def inputs_of_target(name):
    """What a target asks for; WorkflowError where the study does not make it."""
    try:
        return PLAN.inputs_of_target(name)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def code(*modules):
    """Files of the package that results of these modules depend on, so that an edit of one reruns the rule."""
    return [os.path.relpath(file) for file in closure(*modules)]


def code_of(command, *modules):
    """The same of a command of `zipo study`, and of modules that it loads by names known only when it runs."""
    return code(*imported_by_command(command), *modules)


# where data sets come from

DOWNLOADS = Path("results/downloads")
SOURCES = {name: dataset.source for name, dataset in STUDY.datasets.items()}
FETCHED = {
    file.relative_to(DOWNLOADS).as_posix(): source.to_fetch()
    for source in SOURCES.values()
    if (file := source.download(DOWNLOADS)) is not None
}


def reading_code(wildcards):
    """The files of the package that a data set's contents depend on."""
    return code_of("prepare", type(SOURCES[wildcards.dataset]).__module__)


def raw_counts(wildcards):
    """The files that a data set is read from: downloads, or files of your own."""
    return [str(path) for path in SOURCES[wildcards.dataset].inputs(DOWNLOADS)]


def as_it_is(text):
    """A text as a param: Snakemake fills in what stands in braces in it, but not in what a function returns."""
    return lambda wildcards: text


def own_files(wildcards):
    """Size and time of each file of your own that a data set is read from: Snakemake itself notices newer ones alone."""
    source = SOURCES[wildcards.dataset]
    own = [file for file in source.inputs(DOWNLOADS) if file != source.download(DOWNLOADS) and file.exists()]
    return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in own]


def fetch_settings(wildcards):
    """The settings of the study that decide what a source fetches, as JSON."""
    settings = {
        "geo_url": STUDY.file.geo_url,
        "lock": STUDY.file.lock or os.path.relpath(ROOT / "config" / "data.lock.tsv"),
    }
    return json.dumps({name: settings[name] for name in FETCHED[wildcards.download].fetch_settings})


wildcard_constraints:
    download=one_of(FETCHED),
    dataset=one_of(STUDY.datasets),
    setting=one_of(SETTINGS),
    row=one_of(BENCHMARK.rows),
    environment=one_of(BENCHMARK.environments),
    counts="(split|permuted|shallow|rare)-[0-9]+",
    molecules="split|shallow",
    split="[0-9]+",
    seed="[0-9]+",
    seeds="[0-9]+(-[0-9]+)?",
    figure=one_of(PLAN.figures),
    worker="[0-9]+",
    page="[a-z0-9-]+",
