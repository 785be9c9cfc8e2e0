# What the benchmark compares: its rows, their runs, and the files of each.

BENCHMARK = STUDY.file.benchmark
ENVIRONMENTS = Path("results/environments")


def cases_of(row, dataset):
    """The runs of a row on a data set."""
    return benchmark.method_runs(BENCHMARK, ROWS[row], SOURCES[dataset].kind == "simulated")


def compared():
    """Every row with every data set that it runs on."""
    return [(row, dataset) for row in ROWS for dataset in STUDY.compared_on if cases_of(row, dataset)]


def run_of(row, dataset, case):
    """A run with its files."""
    folder = f"{RESULTS}/benchmark"
    return {
        "method": row,
        "dataset": dataset,
        "folder": f"{folder}/runs/{row}/{dataset}/{case.name}",
        "counts": f"{folder}/data/{dataset}/{case.counts}.h5ad",
        "held_out": f"{folder}/data/{dataset}/held-out-{case.split}.npz",
        "permuted": case.kind == "permuted",
        "split": case.split,
        "seed": case.seed,
    }


def runs_of(row, dataset):
    """The runs of a row on a data set, with their files."""
    return [run_of(row, dataset, case) for case in cases_of(row, dataset)]


def shown():
    """The run of each row and data set that figures show: the first."""
    return [runs_of(row, dataset)[0] for row, dataset in compared()]


def files_of(runs):
    """The files that scores of runs are made from."""
    files = {f"{run['folder']}/result.json" for run in runs} | {run["counts"] for run in runs}
    return sorted(files | {run["held_out"] for run in runs if not run["permuted"]})


def method_code(wildcards):
    """The files of the package that a run depends on."""
    method = f"zipo.methods.{ROWS[wildcards.row].method.name}"
    return code("zipo.benchmark.running.launch", "zipo.benchmark.running.runner", "zipo.shared.memory", method)


def environment_of(wildcards):
    """The environment of a method, where it is not ours."""
    name = ROWS[wildcards.row].method.env
    return [f"{ENVIRONMENTS}/{name}/environment.json"] if name else []


# what the page of the leaderboard tells beside the numbers
COMPARED = BENCHMARK and {
    "title": STUDY.file.title,
    "reference": BENCHMARK.reference,
    "datasets": {name: STUDY.datasets[name].title for name in STUDY.compared_on},
    "controls": [name for name, row in ROWS.items() if row.control],
    "how": BENCHMARK.model_dump(include={"share", "splits", "seeds", "threads", "seconds"}),
    "rows": {
        name: {
            "method": row.method.name,
            "parameters": ", ".join(f"{key}={value}" for key, value in row.parameters.items()) or "defaults",
            "environment": row.method.env or "zipo",
            "output": row.method.scale,
            "source": row.method.source,
        }
        for name, row in ROWS.items()
    },
}
