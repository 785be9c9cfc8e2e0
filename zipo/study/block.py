"""Training of one setting over a block of seeds, as one job does it; seeds that it finished are never trained again.

The workflow deletes the outputs of a job that failed, so finished seeds and the checkpoints of the seed at hand are
kept in a folder that is no output. Both carry a digest of all that their numbers depend on: neither is used after an
edit of the model or of the counts, and a block of other seeds uses those of its seeds that are finished.
"""

import json
import math
import signal
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np
import torch

from zipo.datasets.prepared import contents_digest, read
from zipo.engine.checkpoints import Checkpoints, State, read_state, write_state
from zipo.shared.atomic_files import atomic_write
from zipo.shared.digest import digest
from zipo.shared.signals import handling_signals
from zipo.study.run import run


def run_block(
    data: Path,
    setting: dict[str, Any],
    seeds: list[int],
    thresholds: list[float],
    *,
    device: str,
    threads: int,
    rows_file: Path,
    latents_file: Path,
    latents_of: Literal["first", "all"],
    kept: Path,
    code: list[Path],
    checkpoint_seconds: float,
) -> None:
    """Train a setting over seeds and write their rows with the history of each training and a checksum, as JSON.

    `setting` is a resolved setting with its id: `id`, `dataset`, `method` and all hyper-parameters. The latents of
    all cells (seeds x cells x latents, float32) at the first seed, or at all, go to `latents_file`, as .npz with the
    setting, likelihood and seeds. Finished seeds and, each `checkpoint_seconds`, checkpoints go to the folder `kept`;
    `code` are the files of the package that the numbers depend on. Raises Stopped where SIGTERM or SIGINT ends a
    training.
    """
    torch.set_num_threads(threads)
    identity = digest(code, [contents_digest(data), setting, thresholds, torch.__version__])
    adata: ad.AnnData | None = None
    runs, latents = [], {}
    for seed in seeds:
        file, with_latents = kept / f"seed-{seed}.npz", latents_of == "all" or seed == seeds[0]
        state = read_state(file, identity)
        if state and ("latents" in state.tensors or not with_latents):
            print(f"{setting['id']} seed {seed}: kept from an earlier job", flush=True)
        else:
            adata = read(data) if adata is None else adata
            checkpoints = Checkpoints(kept / f"seed-{seed}", identity, checkpoint_seconds)
            state = _train(adata, setting, seed, thresholds, device, checkpoints, with_latents)
            write_state(state, file, identity)
            checkpoints.remove()
        if with_latents:
            latents[seed] = np.asarray(state.tensors["latents"])
        runs.append(state.rest | {"sha256": digest([], state.rest)})
    identifiers = {"setting": setting["id"], "likelihood": setting["likelihood"], "seeds": list(latents)}
    with atomic_write(latents_file) as part:
        np.savez(part, allow_pickle=False, latents=np.stack(list(latents.values())), **identifiers)
    with atomic_write(rows_file) as part:
        part.write_text(json.dumps(runs, indent=1) + "\n")


def _train(
    adata: ad.AnnData,
    setting: dict[str, Any],
    seed: int,
    thresholds: list[float],
    device: str,
    checkpoints: Checkpoints,
    with_latents: bool,
) -> State:
    """A finished seed: its row, the history of its training and, if wanted, its latents."""
    with obeying_signals(checkpoints):
        model, row, history = run(adata, setting, seed, thresholds, device, checkpoints=checkpoints)
    print(
        f"{setting['id']} seed {seed}: {row['status']} after {row['epochs']} epochs, "
        f"test NLL {row['test_nll']:.4f}, {row['seconds']:.1f} s"
        + (f"; NOT PLAUSIBLE: {row['not_plausible']}" if row["not_plausible"] else ""),
        flush=True,
    )
    tensors = {"latents": torch.from_numpy(model.latent(adata))} if with_latents else {}
    return State(tensors, {"row": {name: _plain(value) for name, value in row.items()}, "history": history})


def obeying_signals(checkpoints: Checkpoints) -> AbstractContextManager[None]:
    """Within the context SIGTERM and SIGINT end a training after a checkpoint, and SIGUSR1 asks for a checkpoint.

    Clusters send SIGTERM some seconds before they kill a job that is cancelled, preempted or out of time.
    """

    def stop(*_: object) -> None:
        checkpoints.stop_soon = True

    def save(*_: object) -> None:
        checkpoints.save_soon = True

    return handling_signals({signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGUSR1: save})


def _plain(value: Any) -> Any:
    """A value as JSON can hold it, which has no NaN and no infinity: these become null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
