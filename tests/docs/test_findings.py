"""The published page of findings says what its tables hold."""

from pathlib import Path

import pytest

from zipo.study.findings.page import text

PUBLISHED = Path(__file__).parents[2] / "docs" / "findings"


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no study is published yet")
def test_the_published_page_is_the_one_that_its_tables_make():
    assert (PUBLISHED / "index.md").read_text() == text(PUBLISHED)
    assert sum(file.stat().st_size for file in PUBLISHED.iterdir()) < 2_000_000
