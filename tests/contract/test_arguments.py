"""What a notebook passes, taken as it is meant or refused in one sentence, before anything is trained."""

import copy
import pickle

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csc_matrix, csr_matrix

import zipo
from tests.contract.conftest import CELLS, COUNTS, GENES, NAMES, SMALL, annotated, state
from zipo import ZiPo
from zipo.engine.switches import engine_switches
from zipo.fine_tuning import fine_tuned
from zipo.output import write_denoised
from zipo.shared.errors import InputError


@pytest.fixture
def untrained(monkeypatch):
    """Training is an error."""
    monkeypatch.setattr(ZiPo, "fresh_network", None)


def settings(**given) -> dict:
    return ZiPo(**given).parameters.model_dump()


def test_what_is_plainly_meant_is_taken():
    assert (ZiPo(seed=np.int64(3)).seed, type(ZiPo(seed=np.uint8(3)).seed)) == (3, int)
    for one in ("donor", ["donor"], ("donor",), np.array(["donor"]), pd.Index(["donor"])):
        assert settings(covariates=one)["covariates"] == ("donor",)
    assert settings(covariates="")["covariates"] == ()
    numbers = settings(max_epochs=np.int64(3), alpha_z=np.float32(0.5), encoder=[8, 4], residuals=np.int32(1))
    assert numbers == settings(max_epochs=3, alpha_z=0.5, encoder="8-4", residuals=1)
    assert settings(encoder=np.array([8, 4]), library_network=16)["encoder"] == "8-4"
    assert ZiPo(device=torch.device("cpu")).device == torch.device("cpu")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"seed": -1}, "^seed -1: a whole number from 0 to"),
        ({"seed": 1.5}, "^seed 1.5: a whole number"),
        ({"seed": None}, "^seed None: a whole number"),
        ({"seed": "1"}, "^seed '1': a whole number"),
        ({"seed": True}, "^seed True: a whole number"),
        ({"seed": 2**70}, "^seed 1180591620717411303424: a whole number"),
        ({"device": "gpu"}, "^device='gpu': auto, cpu or cuda is expected"),
        ({"device": "mps"}, "^device='mps': auto, cpu or cuda is expected"),
        ({"device": None}, "^device='None': auto, cpu or cuda is expected"),
        ({"device": "cuda:99"}, "^device='cuda:99': torch .* here; take device='cpu', or auto"),
        ({"epochs": 3}, "^parameters: epochs: unknown key 'epochs'; did you mean 'max_epochs'"),
        ({"max_epochs": 0}, "^parameters: max_epochs: 0 will not do"),
        ({"max_epochs": "many"}, "^parameters: max_epochs: 'many' will not do"),
        ({"likelihood": "gauss"}, "^parameters: likelihood: 'gauss' will not do"),
        ({"encoder": "8-x"}, "^parameters: encoder: '8-x' will not do"),
        ({"covariates": 3}, "^parameters: covariates: 3 will not do"),
        ({"residuals": 9, "encoder": "8-4"}, "^parameters: residuals: 9 asks for more layers"),
    ],
)
def test_arguments_that_will_not_do(untrained, given, problem):
    adata = annotated()
    for call in (lambda: ZiPo(**given), lambda: ZiPo.for_data(adata, **given), lambda: zipo.pp.denoise(adata, **given)):
        with pytest.raises(InputError, match=problem) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"^empty_cells 'drop': refuse or keep is expected"):
        ZiPo(empty_cells="drop")


class MuData:
    """Stands for one of the muon package."""


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (pd.DataFrame(COUNTS), r"not pandas.DataFrame; make one of it, anndata.AnnData\(frame\)"),
        (COUNTS, "not numpy.ndarray; make one of it"),
        (csr_matrix(COUNTS), "not scipy.csr_matrix; make one of it"),
        ("counts.h5ad", "not str; read the file first, as by anndata.read_h5ad"),
        (None, "not NoneType; make one of it"),
        (MuData(), r"not tests.MuData; give the part with the counts, as mdata\['rna'\]"),
    ],
)
def test_what_is_no_anndata_is_refused(model, tmp_path, given, problem):
    calls = [
        lambda: ZiPo.for_data(given),
        lambda: ZiPo(**SMALL).fit(given),
        lambda: ZiPo(**SMALL).fit(annotated(), given) if given is not None else ZiPo(**SMALL).fit(given),
        lambda: zipo.pp.denoise(given),
        lambda: model.denoise(given),
        lambda: model.distribution(given),
        lambda: model.loss(given),
        lambda: fine_tuned(model, given),
        lambda: zipo.fine_tuning.aligned(given, model.genes),
    ]
    if not isinstance(given, str):
        calls.append(lambda: write_denoised(model, given, tmp_path / "out.h5ad"))
    for call in calls:
        with pytest.raises(InputError, match=f"an AnnData is expected, {problem}"):
            call()


@pytest.mark.parametrize(
    ("x", "problem"),
    [
        (None, "counts: X is empty; put the counts there.* or name a layer, of which there are log, spliced"),
        (np.array([["a"] * GENES] * CELLS, dtype=object), "the matrix holds values of type object"),
        (COUNTS.astype(complex), "the matrix holds values of type complex"),
        (np.where(COUNTS == 200, None, COUNTS), "is not a number"),
        (COUNTS.astype(np.float64) * 1e38, "is too large for a count"),
    ],
)
def test_x_that_holds_no_counts(untrained, x, problem):
    adata = annotated()
    adata.X = x
    before = state(adata)
    with pytest.raises(InputError, match=problem):
        zipo.pp.denoise(adata)
    assert state(adata) == before
    with pytest.raises(InputError, match=problem.removeprefix("counts: ")):
        ZiPo(**SMALL).fit(adata)


def test_layers_that_are_not_there_and_raw_of_other_genes(untrained):
    with pytest.raises(InputError, match="there is no layer 'counts'; there are log, spliced"):
        zipo.pp.denoise(annotated(), layer="counts")
    with pytest.raises(
        InputError, match=r"raw: its 20 genes are not the 10 of X, .*; denoise adata\.raw\.to_adata\(\)"
    ):
        zipo.pp.denoise(annotated(), layer="raw")


def test_columns_of_obs_with_one_name_are_refused_before_training(untrained, model, tmp_path):
    adata = annotated()
    adata.obs = pd.concat([adata.obs, adata.obs[["donor"]]], axis=1)
    for call in (
        zipo.pp.denoise,
        zipo.check,
        ZiPo.for_data,
        ZiPo(**SMALL).fit,
        model.denoise,
        lambda adata: fine_tuned(model, adata),
        lambda adata: write_denoised(model, adata, tmp_path / "x.h5ad"),
    ):
        with pytest.raises(InputError, match="counts: obs has several columns named 'donor'; rename or drop all but"):
            call(adata)
    assert not list(tmp_path.iterdir())


def test_levels_to_denoise_to_are_looked_at_before_training(untrained, model, tmp_path):
    with pytest.raises(InputError, match=r"batch: 'x' names no covariate; .*batch=\{'donor': 'A'\}"):
        zipo.pp.denoise(annotated(), batch="x", **SMALL)
    with pytest.raises(InputError, match="batch: 'donor' has no level 'w'"):
        zipo.pp.denoise(annotated(), batch={"donor": "w"}, covariates="donor", **SMALL)
    for call in (model.denoise, lambda adata, batch: write_denoised(model, adata, tmp_path / "x.h5ad", batch=batch)):
        with pytest.raises(InputError, match="batch: 'x' names no covariate"):
            call(annotated(), batch="x")
    assert not list(tmp_path.iterdir())


def test_one_cell_is_too_few():
    with pytest.raises(InputError, match="training counts: 1 cell is too few to learn from"):
        ZiPo(**SMALL).fit(annotated()[:1], annotated())


def test_a_model_that_is_not_fitted_says_so(tmp_path):
    model = ZiPo(**SMALL)
    for call in (model.denoise, model.latent, model.loss, model.losses, model.gene_poisson_nll, model.sample):
        with pytest.raises(InputError, match=r"this model is not fitted yet; call its fit, or ZiPo\.load"):
            call(annotated())
    for call in (lambda: model.save(tmp_path / "m"), lambda: write_denoised(model, annotated(), tmp_path / "o.h5ad")):
        with pytest.raises(InputError, match="this model is not fitted yet"):
            call()
    assert not hasattr(model, "network")
    assert not hasattr(model, "nothing")
    assert not list(tmp_path.iterdir())


def test_copies_of_a_model_say_the_same(model, expected):
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.denoise(annotated()), expected["denoised"])


@pytest.mark.parametrize("switch", ["float64", "no_grad", "inference_mode", "autocast", "meta"])
def test_torchs_switches_of_the_caller_change_nothing(model, expected, tmp_path, switch):
    adata = annotated()
    right = ZiPo(device="cpu", **SMALL).fit(adata)
    others = {"loss": model.loss(adata), "trivial": model.gene_poisson_nll(adata), "sample": model.sample(adata)}
    model.save(tmp_path / "model")
    torch.set_default_dtype(torch.float64 if switch == "float64" else torch.float32)
    try:
        with {
            "float64": torch.enable_grad,
            "no_grad": torch.no_grad,
            "inference_mode": torch.inference_mode,
            "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
            "meta": lambda: torch.device("meta"),
        }[switch]():
            before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
            result = ZiPo(device="cpu", **SMALL).fit(adata)
            np.testing.assert_array_equal(result.denoise(adata), right.denoise(adata))
            np.testing.assert_array_equal(model.denoise(adata), expected["denoised"])
            np.testing.assert_array_equal(model.sample(adata), others["sample"])
            assert (model.loss(adata), model.gene_poisson_nll(adata)) == (others["loss"], others["trivial"])
            np.testing.assert_array_equal(ZiPo.load(tmp_path / "model", "cpu").latent(adata), expected["latent"])
            for _ in model.predictions(adata):
                after = torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
                assert after == before
    finally:
        torch.set_default_dtype(torch.float32)


def test_switches_are_as_before_after_an_error():
    @engine_switches(gradients=False)
    def fail():
        assert not torch.is_grad_enabled()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.is_grad_enabled()


def test_a_tilde_is_the_home_folder(model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model.save("~/model")
    write_denoised(ZiPo.load("~/model"), annotated(), "~/out.h5ad")
    write_denoised(model, "~/out.h5ad", "~/again.h5ad")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.h5ad", "model", "out.h5ad"]
    with pytest.raises(InputError, match="3: a path is expected"):
        model.save(3)


def test_a_copy_of_backed_data_is_in_memory_and_a_view_is_refused(untrained, tmp_path, monkeypatch):
    annotated().write_h5ad(tmp_path / "in.h5ad")
    backed = ad.read_h5ad(tmp_path / "in.h5ad", backed="r")
    with pytest.raises(InputError, match=r"a view of a file, which takes no new layers; .*adata\.to_memory\(\)"):
        zipo.pp.denoise(backed[:20])
    monkeypatch.undo()
    for source in (backed, backed[:20]):
        result = zipo.pp.denoise(source, copy=True, device="cpu", **SMALL)
        plain = annotated()[: source.n_obs].copy()
        zipo.pp.denoise(plain, device="cpu", **SMALL)
        assert not result.isbacked
        np.testing.assert_array_equal(result.layers["denoised"], plain.layers["denoised"])
        np.testing.assert_array_equal(result.X.toarray(), COUNTS[: source.n_obs])
        assert "denoised" not in backed.layers
        assert backed.file.is_open
    by_gene = annotated(csc_matrix(COUNTS))
    by_gene.write_h5ad(tmp_path / "csc.h5ad")
    result = zipo.pp.denoise(ad.read_h5ad(tmp_path / "csc.h5ad", backed="r"), copy=True, device="cpu", **SMALL)
    zipo.pp.denoise(backed, device="cpu", **SMALL)
    np.testing.assert_array_equal(result.layers["denoised"], backed.layers["denoised"])
    assert backed.layers["denoised"].shape == (CELLS, GENES)


def test_a_view_in_memory_becomes_data_of_its_own(model):
    whole = annotated()
    before = state(whole)
    part = whole[:20]
    with pytest.warns(ad.ImplicitModificationWarning):
        zipo.pp.denoise(part, **SMALL)
    assert part.layers["denoised"].shape == (20, GENES)
    assert state(whole) == before


@pytest.mark.filterwarnings("ignore")
def test_names_are_compared_as_text(model, expected):
    given = annotated()
    given.var_names = given.var_names.astype("string")
    given.obs_names = pd.CategoricalIndex(given.obs_names)
    np.testing.assert_array_equal(model.denoise(given), expected["denoised"])
    fitted = ZiPo(device="cpu", **SMALL).fit(given)
    assert list(fitted.genes) == NAMES[1]
    np.testing.assert_array_equal(fitted.latent(annotated()), fitted.latent(given))
    with pytest.raises(InputError, match=r"not those of the training cells, .*zipo\.fine_tuning\.aligned"):
        fitted.latent(given[:, ::-1])
