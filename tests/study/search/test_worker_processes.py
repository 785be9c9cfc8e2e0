"""Workers that share one journal end with exactly the asked trials, even if one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import optuna
from optuna.trial import TrialState

from tests.study.search.searching import SHARED, SPACE
from zipo.study.search import worker as tune
from zipo.study.search.journal import Journal, Watch, open_study, slots, start_trial
from zipo.study.search.space import Tuning
from zipo.study.search.trials import finished_search, trials_table

WORKER = """
import sys, time
from pathlib import Path
from zipo.study.search.worker import work
from zipo.study.search.space import Tuning
folder, data, name, tuning = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Tuning.model_validate_json(sys.argv[4])
(folder / f"{name}.ready").touch()
while len(list(folder.glob("*.ready"))) < 2:  # both begin at once
    time.sleep(0.01)
work(tuning, data, [], folder / "trials.journal", "cpu", 1, folder / name, beat=0.2, grace=float(sys.argv[5]))
"""


@contextmanager
def working(folder: Path, data: Path, name: str, tuning: Tuning, grace: float):
    """One of two workers, as a process of its own."""
    command = [sys.executable, "-c", WORKER, str(folder), str(data), name, tuning.as_json(), str(grace)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(actual, seconds: float = 150):
    """What a function finds once it finds something; a failure when it takes too long."""
    end = time.monotonic() + seconds
    while not (result := actual()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return result


def test_two_workers_at_once_end_with_the_asked_number(data, tmp_path):
    tuning = Tuning(**SPACE, set=SHARED | {"max_epochs": 8}, trials=10, prune=False)
    with ExitStack() as stack:
        workers = [stack.enter_context(working(tmp_path, data, name, tuning, 60)) for name in ("1", "2")]
        assert [worker.wait(120) for worker in workers] == [0, 0], workers[0].stdout.read()
    assert (tmp_path / "1").read_text() == (tmp_path / "2").read_text()
    study = open_study(tmp_path / "trials.journal", (tmp_path / "1").read_text().strip())
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 10
    assert sorted(trial.user_attrs["slot"] for trial in study.trials) == list(range(10))
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 10
    assert len({trial.user_attrs["worker"] for trial in study.trials}) == 2
    assert sorted(file.name for file in tmp_path.glob("*[!y]")) == ["1", "2", "trials.journal"]


def test_a_worker_killed_in_a_trial_loses_that_trial_only(data, tmp_path):
    journal = tmp_path / "trials.journal"
    tuning = Tuning(**SPACE, set=SHARED | {"max_epochs": 30}, trials=6, prune=False)
    name = tune.search_name(tuning, data, [])
    with working(tmp_path, data, "1", tuning, 12) as victim, working(tmp_path, data, "2", tuning, 12) as survivor:
        wait_for(journal.exists)
        study = open_study(journal, name)

        def caught() -> list:
            """The victim's running trial, once something is finished; the victim is stopped outside of any lock."""
            if not study.get_trials(states=(TrialState.COMPLETE,)):
                return []
            victim.send_signal(signal.SIGSTOP)
            running = study.get_trials(states=(TrialState.RUNNING,))
            mine = [t for t in running if t.user_attrs.get("worker", "").endswith(f":{victim.pid}")]
            if mine and mine[0].intermediate_values and not list(tmp_path.glob("*.lock")):
                return mine
            victim.send_signal(signal.SIGCONT)
            return []

        (lost,) = wait_for(caught)
        victim.send_signal(signal.SIGKILL)
        before = {t.number: (t.params, t.value) for t in study.get_trials(states=(TrialState.COMPLETE,))}
        assert survivor.wait(240) == 0, survivor.stdout.read()

    assert before
    after = {trial.number: trial for trial in study.get_trials()}
    assert {number: (after[number].params, after[number].value) for number in before} == before
    assert after[lost.number].state == TrialState.FAIL
    assert [t.number for t in after.values() if t.state == TrialState.FAIL] == [lost.number]
    complete = [trial for trial in after.values() if trial.state == TrialState.COMPLETE]
    assert sorted(trial.user_attrs["slot"] for trial in complete) == list(range(6))
    again = next(trial for trial in complete if trial.user_attrs["slot"] == lost.user_attrs["slot"])
    assert again.params == lost.params
    assert len(trials_table("s", tuning, finished_search(tuning, journal, name))) == 6


# the journal


def test_only_silent_trials_are_taken_from_their_workers(tmp_path):
    journal = tmp_path / "j"
    study = open_study(journal, "s")
    watch = Watch(grace=0.2)
    silent, loud = (start_trial(study, journal, 3, watch, 1) for _ in range(2))
    silent.suggest_float("x", 0, 1)
    for count in range(3):
        time.sleep(0.15)
        loud.set_user_attr("beat", count)
        assert {t.number for t in watch.silent(study)} <= {silent.number}
    third, again = (start_trial(study, journal, 3, watch, 1) for _ in range(2))
    assert (third.user_attrs["slot"], again.user_attrs["slot"]) in [(0, 2), (2, 0)]
    retried = third if third.user_attrs["slot"] == 0 else again
    assert retried.suggest_float("x", 0, 1) == silent.params["x"]
    assert start_trial(study, journal, 3, watch, 1) is None
    assert {slot: trial.number for slot, trial in slots(study, 3).items()}[1] == loud.number


def test_half_a_line_in_the_journal_is_dropped(tmp_path):
    journal = tmp_path / "j"
    study = open_study(journal, "s")
    study.tell(start_trial(study, journal, 3, Watch(60), 1), 1.0)
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker_')
    again = open_study(journal, "s")
    again.tell(start_trial(again, journal, 3, Watch(60), 1), 2.0)
    assert journal.read_bytes().startswith(whole)
    assert all(json.loads(line) for line in journal.read_text().splitlines())
    assert [trial.value for trial in study.get_trials()] == [1.0, 2.0]


def test_a_long_line_is_written_as_optuna_reads_it(tmp_path):
    backend = Journal(tmp_path / "j")
    logs = [{"op_code": 4, "text": "x" * 10_000}, {"op_code": 5}]
    for log in logs:
        backend.append_logs([log])
    stock = optuna.storages.journal.JournalFileBackend(str(tmp_path / "j"))
    assert list(stock.read_logs(0)) == logs
