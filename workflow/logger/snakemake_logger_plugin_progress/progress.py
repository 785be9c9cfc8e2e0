"""Progress of a workflow: jobs done, jobs at work, and an estimate of the time left."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median

SHOWN = 3
"""Jobs at work that are named one by one; more are counted by rule."""


@dataclass(frozen=True)
class Job:
    """A job at work; `started` is a time in seconds."""

    rule: str
    name: str
    started: float


class Progress:
    """Jobs of a workflow as they start and finish; all times are seconds of one clock."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.left: Counter[str] = Counter()
        """Jobs that are not done yet, by rule."""
        self.running: dict[int, Job] = {}
        self.failed: dict[int, str] = {}
        """Log of each job that failed and has not succeeded since."""
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def plan(self, jobs: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule that are to run."""
        self.left, self.total = Counter(jobs), sum(jobs.values())

    def start(self, number: int, rule: str, wildcards: Mapping[str, str], now: float) -> None:
        """A job starts."""
        self.running[number] = Job(rule, job_name(rule, wildcards), now)

    def finish(self, number: int, now: float) -> None:
        """A job has succeeded; one that never started, as a target without a command, counts as well."""
        self.done += 1
        self.failed.pop(number, None)
        if job := self.running.pop(number, None):
            self._seconds[job.rule].append(now - job.started)
            self.left[job.rule] -= 1

    def fail(self, number: int, log: str) -> str:
        """A job has failed, and its log is in a file; returns the job's name."""
        job = self.running.pop(number, None)
        self.failed[number] = log
        return job.name if job else f"job {number}"

    def seconds_left(self, since: float, now: float) -> float | None:
        """Estimate of the seconds until all jobs are done, of a workflow that began at `since`.

        A job takes the mean time of its rule's finished jobs, or the median of all rules where none has finished, and
        as many jobs run at a time as have so far. None as long as no job of the rule with most jobs left has finished,
        nor half of all.
        """
        left = +self.left
        if not self._seconds or not left:
            return None
        (commonest, _), *_ = left.most_common()
        if commonest not in self._seconds and self.done < self.total / 2:
            return None
        means = {rule: fmean(seconds) for rule, seconds in self._seconds.items()}
        usual = median(means.values())
        work = sum(number * means.get(rule, usual) for rule, number in left.items())
        worked = 0.0
        for job in self.running.values():
            elapsed = now - job.started
            worked += elapsed
            work -= min(elapsed, means.get(job.rule, usual))
        worked += sum(map(sum, self._seconds.values()))
        at_a_time = max(1.0, worked / max(now - since, 1e-9))
        return work / at_a_time

    def line(self, since: float, now: float) -> str:
        """The state as one line."""
        parts = [f"{self.done} of {count(self.total, 'job')}"]
        if (left := self.seconds_left(since, now)) is not None:
            parts.append(f"about {duration(left)} left")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if at_work := self.at_work():
            parts.append(f"now: {at_work}")
        return ", ".join(parts)

    def at_work(self) -> str:
        """What runs: each job by name, or where they are many the number of each rule."""
        jobs = self.running.values()
        if len(jobs) <= SHOWN:
            return "; ".join(job.name for job in jobs)
        return ", ".join(f"{number} {rule}" for rule, number in Counter(job.rule for job in jobs).most_common())


def job_name(rule: str, wildcards: Mapping[str, str]) -> str:
    """A job by its rule and wildcards, as in `train zipo-256x16-b86f4a 1-3`, or by the wildcard named as the rule."""
    if rule in wildcards:
        return wildcards[rule]
    return " ".join([rule, *map(str, wildcards.values())])


def duration(seconds: float) -> str:
    """Seconds in words, to the minute from one minute on."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def count(number: int, noun: str) -> str:
    """A number with its noun, as in `1 job` and `2 jobs`."""
    return f"{number} {noun}{'s' * (number != 1)}"
