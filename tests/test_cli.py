"""The command line: errors in one sentence with exit code 2, and a start that loads nothing it does not need."""

import io
import json
import logging
import os
import subprocess
import sys

from zipo import cli
from zipo.parameters import Parameters


def zipo(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "zipo", *arguments], capture_output=True, text=True)


def test_bad_input_ends_with_one_sentence(tmp_path):
    source = {"kind": "simulated", "cells": 5, "genes": 5}
    dataset = {"title": "t", "source": source, "filters": {"min_counts": 10**7}}
    options = {"name": "toy", "dataset": json.dumps(dataset), "downloads": tmp_path, "target": tmp_path / "toy.h5ad"}
    done = zipo("study", "prepare", *(f"--{name}={value}" for name, value in options.items()))
    assert done.returncode == 2
    assert done.stderr == "error: data set toy: no cells are left; loosen min_counts or min_genes in filters\n"


def test_what_the_encoding_of_standard_output_lacks_is_written_as_its_number(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin1", write_through=True))
    monkeypatch.setattr(cli, "app", lambda: print("TNF\N{GREEK SMALL LETTER ALPHA}, \xb5"))
    cli.main()
    assert written.getvalue() == b"TNF\\u03b1, \xb5\n"


def test_planning_loads_neither_torch_nor_scanpy_nor_seaborn():
    code = (
        "import sys, zipo, zipo.cli, zipo.study.config, zipo.study.settings, zipo.figures;"
        "zipo.figures.discover();"
        "print(sorted({'torch', 'scanpy', 'seaborn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_loads_nothing_that_takes_time():
    heavy = {"anndata", "matplotlib", "numpy", "optuna", "pandas", "pydantic", "sklearn", "torch"}
    code = f"import sys, zipo.cli; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_training_loads_nothing_that_it_does_not_use():
    heavy = {"matplotlib", "optuna", "rich", "sklearn", "sympy", "torch._dynamo", "torch._inductor"}
    code = (
        "import sys, anndata, numpy, zipo.commands.actions;"
        "counts = numpy.random.default_rng(1).poisson(2.0, (40, 30)).astype('float32');"
        "zipo.ZiPo(encoder='4-2', batch_size=16, max_epochs=1).fit(anndata.AnnData(counts));"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_notebooks_backend_does_not_keep_figures_from_being_drawn(tmp_path):
    """Jupyter and Colab hand theirs on to commands in cells; matplotlib refuses it where it is not installed."""
    (tmp_path / "sizes.tsv").write_text("dataset\ttitle\n")
    about = json.dumps({"parameters": Parameters().model_dump(mode="json")})
    command = [sys.executable, "-m", "zipo", "study", "figure", "--name", "figure-01"]
    command += ["--study", about, "--sizes", "sizes.tsv", "--stem", "figures/figure-01"]
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "figures" / "figure-01.png").read_bytes().startswith(b"\x89PNG")


def test_messages_of_the_package_are_plain_lines_on_standard_error(capsys, monkeypatch):
    logger = logging.getLogger("zipo")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", logger.level)
    cli._show_messages()
    cli._show_messages()
    logger.info("no checkpoint: %s", "the disk is full")
    assert capsys.readouterr().err == "no checkpoint: the disk is full\n"
