"""Names of likelihoods in figures, which tell apart whether the rate penalty is on."""

import pandas as pd


def with_model_names(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with a column `model`: ZIP, ZINB, and ZINB without its rate penalty as an ablation."""
    overdispersed = runs["likelihood"].isin(["nb", "zinb"])
    penalised = (runs["rate_penalty"] != "none") & (runs["alpha_rate"] > 0)
    names = runs["likelihood"].str.upper().where(~overdispersed | penalised, runs["likelihood"].str.upper() + "*")
    return runs.assign(model=names)
