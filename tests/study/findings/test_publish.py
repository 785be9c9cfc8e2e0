"""Findings that were published stay whole whatever fails."""

import pytest

from zipo.shared.errors import InputError
from zipo.study import publish as of_publish
from zipo.study.findings.publish import publish


def test_what_was_published_before_stays_whole_where_a_study_will_not_do(results, tmp_path, monkeypatch):
    target = tmp_path / "out"
    publish(results, target)
    before = {file.name: file.read_bytes() for file in target.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(of_publish, "MOST_BYTES", 100)
        with pytest.raises(InputError, match="bytes; at most 100 are published"):
            publish(results, target)
    (results / "runs.parquet").unlink()
    with pytest.raises(InputError, match=r"runs\.parquet: not there; run the study"):
        publish(results, target)
    assert {file.name: file.read_bytes() for file in target.iterdir()} == before
