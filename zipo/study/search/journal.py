"""Journal of a search, shared by workers on many nodes: hands out trials, and detects workers that died.

The file is a journal of Optuna: one line per event, in one order that all workers see. Optuna retries the trials of
dead workers only where the storage is a database, which a shared file system does not offer; here every trial has a
slot, 0 to the number of trials less one, and a dead worker's slot is given to the next that asks.
"""

import hashlib
import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState

BEAT = 10.0  # seconds between two signs of life of a trial
GRACE = 90.0  # seconds without one after which its worker counts as dead
LOCK_GRACE = 30  # seconds after which a lock that a dead worker left is broken; it is held for milliseconds
ATTEMPTS = 3  # trials in one slot that end with their worker, after which the slot is given up


class Journal(JournalFileBackend):
    """Optuna's journal file, which also survives the half line that a full disk or a crashed node leaves.

    The lock is a file that only one process can create, which holds on NFS too. (Optuna's default, a symbolic link,
    is never broken if the journal's path is relative.)
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file_lock = JournalFileOpenLock(str(path), LOCK_GRACE)
        super().__init__(str(path), self._file_lock)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append records after the last whole line; what a killed process left behind it is cut off."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with _holding(self._file_lock), self._path.open("r+b") as file:
            file.truncate(_end_of_last_line(file))
            file.seek(0, os.SEEK_END)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def open_study(path: Path, name: str) -> optuna.Study:
    """The search of this name in a journal, new or continued."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.JournalStorage(Journal(path))
    return optuna.create_study(storage=storage, study_name=name, load_if_exists=True)


def slots(study: optuna.Study, count: int) -> dict[int, FrozenTrial]:
    """The trial that holds each slot below `count`: it waits, runs or is finished, or was the last of its attempts."""
    held: dict[int, FrozenTrial] = {}
    failures: dict[int, int] = {}
    for trial in study.get_trials(deepcopy=False):
        slot = trial.user_attrs["slot"]
        if trial.state == TrialState.FAIL:
            failures[slot] = failures.get(slot, 0) + (trial.user_attrs.get("reason") != "interrupted")
        if slot < count and (trial.state != TrialState.FAIL or failures[slot] >= ATTEMPTS):
            held.setdefault(slot, trial)
    return held


def finished(study: optuna.Study, count: int) -> bool:
    """Whether every slot holds a finished trial."""
    held = slots(study, count)
    return len(held) == count and all(trial.state.is_finished() for trial in held.values())


class Watch:
    """Detects running trials that gave no sign of life for `grace` seconds by this process's own clock.

    No clocks of different nodes are compared: a worker that just started watches that long before it judges.
    """

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self._seen: dict[int, tuple[Any, float]] = {}

    def silent(self, study: optuna.Study) -> list[FrozenTrial]:
        """The running trials whose workers count as dead."""
        now = time.monotonic()
        silent = []
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            sign = (trial.user_attrs.get("beat"), len(trial.intermediate_values))
            last_sign, since = self._seen.get(trial.number, (None, now))
            if sign != last_sign:
                self._seen[trial.number] = (sign, now)
            elif now - since > self.grace:
                silent.append(trial)
        return silent


def start_trial(study: optuna.Study, path: Path, count: int, watch: Watch, seed: int) -> Trial | None:
    """Start a trial in the first free slot, or None if all are held.

    A dead worker's trial is ended as failed, and tried again with the same hyper-parameters. The seed and the slot fix
    what the sampler draws, so that a search that was cut off goes on as if it had not been.
    """
    with _holding(JournalFileOpenLock(f"{path}.claim", LOCK_GRACE)):
        for dead in watch.silent(study):
            with suppress(UpdateFinishedTrialError, ValueError):  # it finished just now
                study.tell(dead.number, state=TrialState.FAIL)
        held = slots(study, count)
        waiting = [slot for slot, other in held.items() if other.state == TrialState.WAITING]
        free = [slot for slot in range(count) if slot not in held]
        if not waiting and not free:
            return None
        slot = min(waiting or free)
        if not waiting:
            earlier = [other for other in study.get_trials(deepcopy=False) if other.user_attrs["slot"] == slot]
            study.enqueue_trial(earlier[-1].params if earlier else {}, user_attrs={"slot": slot})
        digest = hashlib.sha256(f"{seed} {slot}".encode()).digest()
        study.sampler = optuna.samplers.TPESampler(seed=int.from_bytes(digest[:4]))
        trial = study.ask()  # takes the one that waits
        trial.set_user_attr("worker", f"{platform.node()}:{os.getpid()}")
        return trial


@contextmanager
def beating(trial: Trial, every: float) -> Iterator[None]:
    """Within the context the trial gives signs of life."""
    ended = threading.Event()

    def beat() -> None:
        count = 0
        while not ended.wait(every):
            count += 1
            with suppress(UpdateFinishedTrialError, OSError):  # the trial's own thread will meet the same
                trial.storage.set_trial_user_attr(trial._trial_id, "beat", count)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _holding(lock: JournalFileOpenLock) -> Iterator[None]:
    """Within the context this process holds the lock."""
    lock.acquire()
    try:
        yield
    finally:
        with suppress(RuntimeError):  # this process slept so long that another broke the lock
            lock.release()


def _end_of_last_line(file: IO[bytes]) -> int:
    """Number of bytes up to and including the last line break; 0 if there is none."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        if (position := file.read(end - start).rfind(b"\n")) >= 0:
            return start + position + 1
        end = start
    return 0
