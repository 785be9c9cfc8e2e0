"""The page on sparsity is made from its tables, and the claims that point to it find it."""

from pathlib import Path

from zipo.study.claims.catalogue import load_claims

ROOT = Path(__file__).parents[2]


def test_claims_point_to_pages_that_exist():
    pages = {claim.explained for claim in load_claims(ROOT / "config" / "claims.yaml").values()} - {None}
    assert pages == {"sparsity.md"}
    assert (ROOT / "docs" / "sparsity.md").is_file()
