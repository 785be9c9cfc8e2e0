"""The state of a training on disk, from which it continues to the same numbers after an interruption.

A checkpoint is an .npz, a zip of arrays with their checksums: reading it executes nothing, and damage shows.
"""

import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zipo.shared.atomic_files import atomic_write
from zipo.shared.errors import InputError

logger = logging.getLogger("zipo")
KEPT = 2  # the last, and the one before, should the last be damaged


@dataclass
class State:
    """All that a training needs to go on: tensors by name, and the rest as JSON knows it."""

    tensors: dict[str, Tensor]
    rest: dict[str, Any]


class Checkpoints:
    """The last checkpoints of one training, in a folder of its own.

    - `identity`: a digest of all that the numbers depend on; checkpoints of another identity are ignored.
    - `every`: seconds between two checkpoints.

    `save_soon` and `stop_soon` may be set at any time, as by a signal: the training then writes its state after the
    batch at hand, and with the second ends with Stopped.
    """

    def __init__(self, folder: Path, identity: str, every: float) -> None:
        self.folder, self.identity, self.every = folder, identity, every
        self.save_soon = self.stop_soon = False
        self._last = time.monotonic()

    def offer(self, state: Callable[[], State]) -> None:
        """Write the state if it is time to. Raises Stopped if `stop_soon` is set."""
        if self.stop_soon or self.save_soon or time.monotonic() - self._last > self.every:
            self.save_soon = False
            try:
                self._save(state())
            except InputError as error:  # better to train on than to lose all
                logger.warning("no checkpoint: %s", error)
            self._last = time.monotonic()
        if self.stop_soon:
            raise Stopped

    def latest(self) -> State | None:
        """The newest state that is undamaged, if there is one."""
        return next(filter(None, (read_state(path, self.identity) for path in reversed(self._files()))), None)

    def remove(self) -> None:
        """Remove the checkpoints and their folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _save(self, state: State) -> None:
        files = self._files()
        number = int(files[-1].stem) + 1 if files else 1
        write_state(state, self.folder / f"{number:06}.npz", self.identity)
        for path in files[: len(files) + 1 - KEPT]:
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.npz") if path.stem.isdigit())


class Stopped(Exception):
    """The training was asked to stop."""


def write_state(state: State, target: Path, identity: str) -> None:
    """Write a state, whole or not at all, with the digest of what it depends on."""
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in state.tensors.items()}
    contents = json.dumps({"tensors": list(arrays), "rest": state.rest})
    with atomic_write(target) as part:
        np.savez(part, allow_pickle=False, identity=identity, contents=contents, **arrays)


def read_state(path: Path, identity: str) -> State | None:
    """The state in a file; None if there is no file, or one of another identity, or, with a warning, a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["identity"]) != identity:
                return None
            contents = json.loads(str(file["contents"]))
            # the checksum of each is verified as it is read
            tensors = {name: torch.from_numpy(file[name]) for name in contents["tensors"]}
    except FileNotFoundError:
        return None
    except Exception as error:  # reading damaged bytes can fail in any way
        logger.warning("%s: damaged, so it is passed over (%s)", path, error)
        return None
    return State(tensors, contents["rest"])
