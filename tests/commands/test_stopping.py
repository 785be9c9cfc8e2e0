"""Ctrl-C and SIGTERM: nothing half-written, the signal's exit code, and a training that goes on to the same bytes."""

import os
import signal

import pytest

from tests.commands.conftest import SMALL
from zipo.commands import actions
from zipo.commands.progress import Reporter
from zipo.model import output


def stop_at(monkeypatch, number, epoch):
    """Sends the process a signal at the end of an epoch."""
    original = Reporter.epochs

    def epochs(self, at_most):
        context = original(self, at_most)
        on_epoch = context.__enter__()

        class Stopping:
            def __enter__(self):
                return lambda at, nll: (on_epoch(at, nll), at == epoch and os.kill(os.getpid(), number))

            def __exit__(self, *error):
                return context.__exit__(*error)

        return Stopping()

    monkeypatch.setattr(Reporter, "epochs", epochs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_goes_on_to_the_same_bytes(source, tmp_path, zipo, monkeypatch, number):
    expected, target = tmp_path / "whole.h5ad", tmp_path / "out.h5ad"
    assert zipo("denoise", source, expected, *SMALL)[0] == 0
    assert zipo("denoise", source, target, *SMALL, "--seed", 2)[0] == 0
    before = target.read_bytes()
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        stop_at(patched, number, epoch=2)
        code, _, err = zipo("denoise", source, target, *SMALL)
    assert code == 128 + number
    assert err.splitlines()[2:] == ["stopped as asked; nothing is written; the same command with --resume goes on"]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert target.read_bytes() == before
    names = ["in.h5ad", "out.h5ad", "out.h5ad.checkpoints", "whole.h5ad"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names

    code, _, err = zipo("denoise", source, target, *SMALL, "--resume")
    assert (code, err.splitlines()[2]) == (0, "going on after epoch 2")
    assert target.read_bytes() == expected.read_bytes()
    assert not (tmp_path / "out.h5ad.checkpoints").exists()


def test_a_fit_goes_on_to_the_same_model(source, tmp_path, zipo, monkeypatch):
    assert zipo("fit", source, tmp_path / "whole", *SMALL)[0] == 0
    with monkeypatch.context() as patched:
        stop_at(patched, signal.SIGINT, epoch=1)
        assert zipo("fit", source, tmp_path / "model", *SMALL)[0] == 130
    assert not (tmp_path / "model").exists()
    assert zipo("fit", source, tmp_path / "model", *SMALL, "--resume")[0] == 0
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "model" / file.name).read_bytes() == file.read_bytes()


def test_without_resume_a_training_begins_anew(source, tmp_path, zipo, monkeypatch):
    for epoch in (2, 1):  # the first would not come again
        with monkeypatch.context() as patched:
            stop_at(patched, signal.SIGINT, epoch)
            assert zipo("denoise", source, tmp_path / "out.h5ad", *SMALL)[0] == 130


def test_checkpoints_of_another_training_are_not_gone_on_from(source, tmp_path, zipo, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, signal.SIGINT, epoch=1)
        assert zipo("denoise", source, tmp_path / "out.h5ad", *SMALL)[0] == 130
    code, _, err = zipo("denoise", source, tmp_path / "out.h5ad", *SMALL, "--seed", 2, "--resume")
    assert code == 2
    assert "its checkpoints are of other counts, options or versions" in err
    assert zipo("denoise", source, tmp_path / "out.h5ad", *SMALL, "--seed", 2)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.h5ad", "out.h5ad"]
    code, _, err = zipo("denoise", source, tmp_path / "out.h5ad", *SMALL, "--resume")
    assert code == 0
    assert "there are no checkpoints, so the training begins anew" in err


@pytest.mark.parametrize(("module", "name"), [(actions.inputs, "read"), (output, "write_matrices")])
def test_a_signal_while_counts_are_read_or_written_leaves_nothing(source, tmp_path, zipo, monkeypatch, module, name):
    def interrupted(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(module, name, interrupted)
    code, _, err = zipo("denoise", source, tmp_path / "out.h5ad", *SMALL)
    assert code == 130
    assert err.splitlines()[-1].startswith("stopped as asked; nothing is written; ")
    assert not (tmp_path / "out.h5ad").exists()
    assert not list(tmp_path.glob("*.part*"))


def test_a_second_signal_ends_the_command_at_once(source, tmp_path, zipo, monkeypatch):
    def twice(*arguments):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(actions.resumable_training.Checkpoints, "offer", twice)
    assert zipo("denoise", source, tmp_path / "out.h5ad", *SMALL)[0] == 130
    assert not (tmp_path / "out.h5ad").exists()
