"""Which methods a benchmark compares, and how often each runs."""

import pytest

from zipo import methods
from zipo.benchmark.plan import Benchmark, MethodRun, method_runs, resolve_rows
from zipo.shared.errors import InputError


def test_without_a_choice_every_method_takes_part_at_its_defaults():
    resolved = resolve_rows(Benchmark(), "s")
    assert list(resolved) == methods.known()
    assert all(row.parameters == {} and row.name == row.method.name for row in resolved.values())
    assert {name for name, row in resolved.items() if row.control} == {
        "bayes",
        "gene_mean",
        "no_denoising",
        "oracle",
        "shrinkage",
    }


def test_variants_stand_beside_the_methods_or_take_their_place():
    variants = {
        "pca": {"parameters": {"components": 3}},
        "pca_more": {"method": "pca", "parameters": {"components": 9}},
    }
    resolved = resolve_rows(Benchmark(variants=variants), "s")
    assert list(resolved) == [*methods.known(), "pca_more"]
    assert resolved["pca"].parameters == {"components": 3}
    assert resolved["pca_more"].method.name == "pca"
    assert list(resolve_rows(Benchmark(methods={"alra": {}}, variants=variants, reference="pca"), "s")) == [
        "alra",
        "pca",
        "pca_more",
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"pcaa": {}}, "^s.methods: pcaa: method 'pcaa' is unknown; known are alra"),
        (
            {"pca": {"parameters": {"rank": 2}}},
            "^s.methods: pca.parameters: 'rank' is no parameter of pca; it has components$",
        ),
        ({"pca": {}, "alra": {}}, "^s: reference: 'zipo' is none of the rows; there are pca, alra$"),
    ],
)
def test_unknown_methods_and_parameters_are_refused(given, problem):
    with pytest.raises(InputError, match=problem):
        resolve_rows(Benchmark(methods=given), "s")


def test_shallow_counts_and_those_with_a_rare_type_are_denoised_once_from_the_first_split():
    benchmark = Benchmark(splits=2, first_split=4, permuted=2, shallow=["deep"], rare={"typed": "beta"})
    row = resolve_rows(benchmark, "s")["pca"]
    usual = ["split-4-seed-1", "split-5-seed-1", "permuted-4-seed-1", "permuted-5-seed-1"]
    for dataset, more in (("deep", ["shallow-4-seed-1"]), ("typed", ["rare-4-seed-1"]), ("other", [])):
        names = [run.name for run in method_runs(benchmark, row, dataset, simulated=False)]
        assert names == usual + more


def test_runs_are_splits_by_seeds_and_permuted_counts_once():
    benchmark = Benchmark(splits=2, seeds=2, permuted=1)
    known = resolve_rows(benchmark, "s")
    names = [run.name for run in method_runs(benchmark, known["pca"], "d", simulated=False)]
    assert names == ["split-1-seed-1", "split-1-seed-2", "split-2-seed-1", "split-2-seed-2", "permuted-1-seed-1"]
    names = [run.name for run in method_runs(benchmark, known["no_denoising"], "d", simulated=False)]
    assert names == ["split-1-seed-1", "split-2-seed-1", "permuted-1-seed-1"]
    assert method_runs(benchmark, known["oracle"], "d", simulated=False) == []
    assert method_runs(benchmark, known["oracle"], "d", simulated=True) == [
        MethodRun("split", 1, 1),
        MethodRun("split", 2, 1),
    ]
