"""What clusters are compared with: types, types within batches, and batches within the largest type."""

import numpy as np
import pytest


def test_clusters_that_part_batches_disagree_with_types_of_all_cells_alone(import_script):
    script = import_script("batch_clusters")
    types = np.array(["beta"] * 8 + ["delta"] * 4)
    batches = np.array(["one", "two"] * 6)
    parted = np.array(
        [f"{kind} {batch}" if kind == "beta" else kind for kind, batch in zip(types, batches, strict=True)]
    )
    values = script.agreement(parted, types, batches)
    # Hubert and Arabie 1985: pairs together in both, 4 and 4 and 4 cells; by types 8 and 4
    together, by_types, by_clusters, pairs = 6 + 6 + 6, 28 + 6, 6 + 6 + 6, 66
    expected = by_types * by_clusters / pairs
    assert values["types"] == pytest.approx((together - expected) / ((by_types + by_clusters) / 2 - expected))
    assert values["types_within_batches"] == 1
    assert values["batches_within_type"] == 1
    assert script.agreement(types, types, batches) == {
        "types": 1, "types_within_batches": 1, "batches_within_type": 0,
    }  # fmt: skip
