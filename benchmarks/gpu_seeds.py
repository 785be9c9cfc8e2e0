"""Seeds side by side on one device: gpu_seeds.py SHAPE WAY SEEDS --device cuda [--small]

Ways: `streams`, networks of one process, each on a stream of its own, whose steps are queued in turn; `processes`, one
for each seed, which share the device by time, or at once where NVIDIA's Multi-Process Service (MPS) runs.

Prints a row with the cells a second of all seeds together as JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from contestant import endless_batches
from gpu_speed import shape_of, stepper, synchronize
from shapes import SHAPES, Shape

WARM_UP = 5


def engine_on(device: torch.device) -> str:
    """The fastest form of the engine that runs on a device without the compiler's minute for each seed."""
    from zipo.engine.triton_kernels import work_on

    return "engine" if work_on(device) else "engine_dense"


def streams(shape: Shape, seeds: int, device: torch.device, seconds: float) -> dict:
    engine = engine_on(device)
    takes, batches = [], endless_batches(shape.cells, shape.batch_size)
    contexts = [torch.cuda.Stream(device) if device.type == "cuda" else None for _ in range(seeds)]
    for stream in contexts:
        with torch.cuda.stream(stream) if stream else nullcontext():
            takes.append(stepper(engine, shape, "float32", device))
    for rounds in (WARM_UP, None):
        synchronize(device)
        started, steps = time.perf_counter(), 0
        while steps < rounds * seeds if rounds else time.perf_counter() - started < seconds:
            for stream, take in zip(contexts, takes, strict=True):
                with torch.cuda.stream(stream) if stream else nullcontext():
                    take(next(batches))
            steps += seeds
            if steps % (8 * seeds) == 0:
                synchronize(device)  # else steps would be queued far ahead of the clock
        synchronize(device)
    return {"cells_per_second": steps * shape.batch_size / (time.perf_counter() - started)}


def processes(command: list[str], seeds: int, seconds: float) -> dict:
    """All start together once each is warm."""
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(seeds)]
    try:
        if any(child.stdout.readline() != "warm\n" for child in children):
            raise RuntimeError("a process ended before it was warm; its message is above")
        for child in children:
            print(seconds, file=child.stdin, flush=True)
        answers = [json.loads(child.stdout.readline()) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    used = max((answer["used_mb"] for answer in answers if answer["used_mb"]), default=None)
    return {"cells_per_second": sum(answer["cells_per_second"] for answer in answers), "used_mb": used}


def one_of_several(shape: Shape, device: torch.device) -> None:
    """Train as long as standard input says, once it says so."""
    take, batches = stepper(engine_on(device), shape, "float32", device), endless_batches(shape.cells, shape.batch_size)
    for _ in range(WARM_UP):
        take(next(batches))
    synchronize(device)
    print("warm", flush=True)
    seconds, started, steps = float(sys.stdin.readline()), time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        take(next(batches))
        steps += 1
        if steps % 8 == 0:
            synchronize(device)
    synchronize(device)
    spent, used = time.perf_counter() - started, None
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        used = (total - free) / 1e6  # of all processes
    print(json.dumps({"cells_per_second": steps * shape.batch_size / spent, "used_mb": used}), flush=True)


def mps() -> bool:
    """Whether NVIDIA's Multi-Process Service seems to run: its control pipe exists."""
    return (Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps")) / "control").exists()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("way", choices=["streams", "processes", "one"])
    parser.add_argument("seeds", type=int)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    shape, device = shape_of(options.shape, options.small), torch.device(options.device)
    seconds = 0.2 if options.small else 5.0
    if options.way == "one":
        one_of_several(shape, device)
        return
    row = {"shape": options.shape, "way": options.way, "seeds": options.seeds, "mps": mps()}
    if options.way == "streams":
        row |= streams(shape, options.seeds, device, seconds)
    else:
        command = [sys.executable, __file__, options.shape, "one", "1", "--device", options.device]
        row |= processes(command + ["--small"] * options.small, options.seeds, seconds)
    print(json.dumps({"rows": [row]}))


if __name__ == "__main__":
    main()
