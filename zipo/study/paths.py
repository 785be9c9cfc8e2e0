"""Names of the files of a study, relative to the folder that it runs in."""

from dataclasses import dataclass

ENVIRONMENTS = "results/environments"
"""Folder of the methods' environments, which all studies share."""


@dataclass(frozen=True)
class Paths:
    """Names of a study's files; a part of a name that is left out stands as a wildcard of Snakemake, as {dataset}."""

    results: str
    """Folder of the study."""

    def file(self, name: str) -> str:
        """A file at the top of the folder, as claims.html."""
        return f"{self.results}/{name}"

    def table(self, name: str) -> str:
        """A table that other steps read, as runs."""
        return self.file(f"{name}.parquet")

    def figure(self, kind: str, name: str = "{figure}") -> str:
        """A picture, its numbers or its page by the suffix of its name, as png."""
        return self.file(f"figures/{name}.{kind}")

    def page(self, name: str = "{page}") -> str:
        """A page of the report that is neither of a figure nor of the claims."""
        return self.file(f"pages/{name}.html")

    def data(self, dataset: str = "{dataset}") -> str:
        """The counts of a data set after filters."""
        return self.file(f"data/{dataset}.h5ad")

    def rows(self, setting: str = "{setting}", seeds: str = "{seeds}") -> str:
        """Rows of the runs table of a setting over a block of seeds."""
        return self.file(f"runs/{setting}/seeds-{seeds}.json")

    def latents(self, setting: str = "{setting}", seeds: str = "{seeds}") -> str:
        """Latents of all cells at the first seed of a block, or at all of its seeds where they are looked at."""
        return self.file(f"runs/{setting}/latents-{seeds}.npz")

    def kept(self, setting: str = "{setting}") -> str:
        """Folder of a setting's finished seeds and checkpoints, which outlives a job that fails."""
        return self.file(f"kept/{setting}")

    @property
    def journal(self) -> str:
        """Journal of the search for hyper-parameters: no rule's output, so that it outlives every job."""
        return self.file("tuning/trials.journal")

    def worker(self, number: int | str = "{worker}") -> str:
        """File that a worker of the search writes when all trials are finished."""
        return self.file(f"tuning/worker-{number}.txt")

    def counts(self, dataset: str = "{dataset}", counts: str = "{counts}") -> str:
        """Counts that methods are given, as split-1, permuted-1, shallow-1 or rare-1."""
        return self.file(f"benchmark/data/{dataset}/{counts}.h5ad")

    def held_out(self, dataset: str = "{dataset}", counts: str = "{counts}") -> str:
        """Molecules that methods do not see beside those that they are given, as split-1."""
        return self.file(f"benchmark/data/{dataset}/held-out-{counts}.npz")

    def method_run(self, row: str = "{row}", dataset: str = "{dataset}", run: str = "{counts}-seed-{seed}") -> str:
        """Folder of a run of a method."""
        return self.file(f"benchmark/runs/{row}/{dataset}/{run}")

    def scores(self, row: str = "{row}", dataset: str = "{dataset}") -> str:
        """Scores of a row of the leaderboard on a data set."""
        return self.file(f"benchmark/scores/{row}/{dataset}.parquet")


def result_of(method_run: str) -> str:
    """The file in the folder of a method's run that says how it ended."""
    return f"{method_run}/result.json"


def environment_file(name: str = "{environment}") -> str:
    """The file that says whether an environment of methods could be made."""
    return f"{ENVIRONMENTS}/{name}/environment.json"
