"""Compiled loops are stored, and not found again once a file that may be compiled into them has changed."""

import importlib.util

from zipo.engine.kernels import compiling

LOOP = """
def double(x):
    return 2 * x
"""


def test_a_stored_loop_is_used_only_while_all_kernel_files_are_the_same(tmp_path, monkeypatch, caplog):
    (tmp_path / "loops.py").write_text(LOOP)
    specification = importlib.util.spec_from_file_location("loops", tmp_path / "loops.py")
    loops = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loops)
    caplog.set_level("INFO")
    hits, messages = [], []
    for digest in ("one", "one", "two", "two"):
        compiling._announce_compiling.cache_clear()  # as in a process of its own
        caplog.clear()
        monkeypatch.setattr(compiling, "sources_digest", lambda folder, digest=digest: digest)
        loop = compiling.compiled(loops.double)
        assert loop(21) == 42
        hits.append(sum(loop.stats.cache_hits.values()))
        messages.append(len(caplog.records))
    assert hits == [0, 1, 0, 1]
    assert messages == [1, 0, 1, 0]


def test_the_digest_depends_on_every_module_of_the_folder(tmp_path):
    digests = set()
    for text in ("x = 1", "x = 2"):
        (tmp_path / "a.py").write_text(text)
        (tmp_path / "b.py").write_text("y = 1")
        digests.add(compiling.sources_digest.__wrapped__(tmp_path))
    (tmp_path / "c.py").touch()
    assert len(digests | {compiling.sources_digest.__wrapped__(tmp_path)}) == 3
