"""Runs one method in a process and an environment of its own: `python runner.py job.json`.

ZiPo need not be installed there; anndata, numpy and scipy must be, and modules of ZiPo that need no more can be
imported. The job is a JSON object:

- `method`: path of the method file;
- `counts`: path of an .h5ad with raw counts;
- `output`: folder to write into;
- `seed`, `parameters`, `threads`.

Writes the answer's arrays as float32 .npy, and last result.json: status (ok, failed, invalid, unavailable), reason,
seconds of the denoising alone, peak_mb, versions. Values are checked by the process that started this.
"""

import hashlib
import json
import os
import platform
import resource
import sys
import time
import traceback
from importlib import import_module, metadata
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
# files of this folder are not to be imported by their names
sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != HERE]

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
from scipy.sparse import issparse  # noqa: E402

MATRICES = ("denoised", "rates", "zero_probability", "size")


class Invalid(Exception):
    """An answer that is not as a method must give it."""


class Unavailable(Exception):
    """A method that cannot run on this machine."""


def main(job: dict) -> dict:
    """Run the method, write its arrays, and return the content of result.json."""
    result: dict = {"status": "ok", "reason": "", "seconds": None, "peak_mb": None, "versions": {}}
    try:
        provide_package()
        module = load(Path(job["method"]))
        if getattr(module, "sees_truth", False):
            data = ad.read_h5ad(job["counts"])
            masks = tuple(np.ones(length, dtype=bool) for length in data.shape)
        else:
            counts = counts_alone(Path(job["counts"]))
            masks = with_counts(counts)
            data = counts[masks].copy()
        for heavy in getattr(module, "imports", ()):
            import_module(heavy)
        result["versions"] = versions(getattr(module, "imports", ()))
        arrays = denoised(module, data, job, result)
        for name, values in arrays.items():
            write(Path(job["output"]) / f"{name}.npy", with_zeros(name, values, *masks))
    except Invalid as error:
        result |= {"status": "invalid", "reason": str(error)}
    except Unavailable as error:
        result |= {"status": "unavailable", "reason": str(error)}
    except MemoryError as error:
        traceback.print_exc()
        result |= {"status": "failed", "reason": f"out of memory: {error}" if str(error) else "out of memory"}
    except BaseException as error:
        traceback.print_exc()
        result |= {"status": "failed", "reason": traceback.format_exception_only(error)[-1].strip()}
    return result


def denoised(module: ModuleType, data: ad.AnnData, job: dict, result: dict) -> dict[str, np.ndarray]:
    """The arrays of the method's answer, of the right shapes; notes time and memory.

    Raises Invalid where the answer has other cells or genes than were given.
    """
    peak_mb = load(HERE.parents[1] / "shared" / "memory.py").peak_mb
    before = fingerprint(data)
    parameters = module.parameters | job["parameters"]
    cells, genes = list(data.obs_names), list(data.var_names)
    started = time.perf_counter()
    if hasattr(module, "denoise"):
        answer = module.denoise(data, seed=job["seed"], **parameters)
        result |= {"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
        arrays = arrays_of(answer, cells, genes)
    else:
        exchange = load(HERE / "exchange.py")
        try:
            arrays = exchange.run(module, data, job, parameters)
        except exchange.Missing as error:
            raise Unavailable(str(error)) from None
        result |= {"seconds": time.perf_counter() - started, "peak_mb": peak_mb(resource.RUSAGE_CHILDREN)}
    if "denoised" not in arrays:
        raise Invalid("the answer has no layers['denoised']")
    for name, values in arrays.items():
        expected = (len(genes),) if name == "size" and values.ndim == 1 else (len(cells), len(genes))
        if name == "latent" and values.ndim == 2:
            expected = (len(cells), values.shape[1])
        if values.shape != expected:
            raise Invalid(f"{name} has the shape {values.shape}; expected {expected}, cells x genes")
    if fingerprint(data) != before:
        raise Invalid("it changed the counts that it was given")
    return arrays


def arrays_of(answer: ad.AnnData, cells: list[str], genes: list[str]) -> dict[str, np.ndarray]:
    """The arrays of an answer by their names, as float32."""
    for kind, expected, names in (("cells", cells, answer.obs_names), ("genes", genes, answer.var_names)):
        if len(names) != len(expected):
            raise Invalid(f"the answer has {len(names)} {kind}; expected the {len(expected)} that were given")
        if list(names) != expected:
            raise Invalid(f"the {kind} of the answer are not those that were given, in the same order")
    arrays = {name: answer.layers[name] for name in MATRICES if name in answer.layers}
    if "size" in answer.var:
        arrays["size"] = answer.var["size"].to_numpy()
    if "latent" in answer.obsm:
        arrays["latent"] = answer.obsm["latent"]
    return {
        name: np.asarray(values.toarray() if issparse(values) else values, dtype=np.float32)
        for name, values in arrays.items()
    }


def counts_alone(file: Path) -> ad.AnnData:
    """Read the counts of an .h5ad and nothing else: X, names, and obs["batch"] if it has that."""
    import h5py

    try:
        from anndata.io import read_elem
    except ImportError:  # anndata before 0.11
        from anndata.experimental import read_elem

    with h5py.File(file) as h5:
        counts = ad.AnnData(read_elem(h5["X"]).astype(np.float32, copy=False))
        for frame, names in (("obs", "obs_names"), ("var", "var_names")):
            setattr(counts, names, np.asarray(read_elem(h5[frame][h5[frame].attrs["_index"]]), dtype=str))
        if "batch" in h5["obs"]:
            counts.obs["batch"] = np.asarray(read_elem(h5["obs/batch"]))
    return counts


def with_counts(counts: ad.AnnData) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the cells and of the genes that have counts."""
    return np.asarray(counts.X.sum(axis=1)).ravel() > 0, np.asarray(counts.X.sum(axis=0)).ravel() > 0


def with_zeros(name: str, values: np.ndarray, cells: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Values of the cells and genes with counts, and zeros for the others; for NB sizes ones."""
    if cells.all() and genes.all():
        return values
    shape = (len(cells), values.shape[1]) if name == "latent" else (len(cells), len(genes))[-values.ndim :]
    index = (cells,) if name == "latent" else np.ix_(*(cells, genes)[-values.ndim :])
    complete = np.full(shape, 1 if name == "size" else 0, dtype=np.float32)
    complete[index] = values
    return complete


def fingerprint(counts: ad.AnnData) -> str:
    """A digest of values and names."""
    digest = hashlib.blake2b()
    x = counts.X
    for part in (x.data, x.indices, x.indptr) if issparse(x) else (x,):
        digest.update(np.ascontiguousarray(part).data)
    digest.update(repr((list(counts.obs_names), list(counts.var_names))).encode())
    return digest.hexdigest()


def versions(imports: tuple[str, ...]) -> dict[str, str]:
    """Versions of Python and of what the method works with."""
    by_package = {"python": platform.python_version()}
    for package in dict.fromkeys(["anndata", "numpy", *(name.split(".")[0] for name in imports)]):
        try:
            by_package[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # some packages are not installed under the name that is imported
            by_package[package] = str(getattr(sys.modules[package], "__version__", "unknown"))
    return by_package


def provide_package() -> None:
    """Let methods import modules of ZiPo's package where it is not installed.

    Its folder alone is made known: on the path, the folder above it would bring in the packages beside it, too.
    """
    if find_spec("zipo") is None:
        sys.modules["zipo"] = package = ModuleType("zipo")
        package.__path__ = [str(HERE.parents[1])]


def load(file: Path) -> ModuleType:
    """A module from its file."""
    name = f"method_{file.stem}"  # not that of the file, which may be a package's: zipo, scvi
    spec = spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    sys.modules[name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(file: Path, values: np.ndarray) -> None:
    """Save an array in a file, which appears complete or not at all."""
    part = file.with_name(f"part.{file.name}")
    np.save(part, values)
    os.replace(part, file)


if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_text())
    result = main(job)
    part = Path(job["output"]) / "part.result.json"
    part.write_text(json.dumps(result))
    os.replace(part, Path(job["output"]) / "result.json")
