"""How a trial's end is told to Optuna, for trainings that end in every way."""

import optuna
import pytest
from optuna.trial import TrialState

from zipo.parameters import Parameters
from zipo.study.search.trial import FIRST, Outcome, median_pruner, suggest, train_trial


def new_study(**options) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), **options)


def curve(*losses: float):
    """A training with these validation NLLs, whose lowest is that of the weights kept."""

    def train(on_epoch):
        for epoch, nll in enumerate(losses, 1):
            on_epoch(epoch, nll)
        return min(losses)

    return train


def test_a_trial_that_ends_has_the_loss_that_the_training_returned():
    study = new_study()
    assert train_trial(study, study.ask(), curve(3.0, 1.0, 2.0)) == Outcome("ok", 1.0)
    (trial,) = study.trials
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 1.0)
    assert trial.intermediate_values == {1: 3.0, 2: 1.0, 3: 2.0}


def test_a_hopeless_trial_is_pruned_after_the_warm_up_once_enough_have_ended():
    four_epochs = Parameters(learning_rate=0.016, learning_rate_decay=0.5, learning_rate_floor=0.001)
    study = new_study(pruner=median_pruner(four_epochs))
    for _ in range(FIRST):
        assert train_trial(study, study.ask(), curve(*[1.0] * 6)).status == "ok"
    assert train_trial(study, study.ask(), curve(*[2.0] * 6)) == Outcome("pruned")
    last = study.trials[-1]
    assert (last.state, list(last.intermediate_values)) == (TrialState.PRUNED, [1, 2, 3, 4, 5])
    assert last.user_attrs == {"reason": "pruned"}


@pytest.mark.parametrize(
    ("error", "reason"), [(KeyboardInterrupt(), "interrupted"), (MemoryError("too large"), "MemoryError: too large")]
)
def test_an_error_ends_the_trial_as_failed_and_is_raised(error, reason):
    def train(on_epoch):
        raise error

    study = new_study()
    with pytest.raises(type(error)):
        train_trial(study, study.ask(), train)
    (trial,) = study.trials
    assert (trial.state, trial.user_attrs) == (TrialState.FAIL, {"reason": reason})


def test_a_diverged_trial_is_hopeless_and_one_given_away_is_left_alone():
    study = new_study()
    assert train_trial(study, study.ask(), lambda on_epoch: None) == Outcome("diverged")
    assert (study.trials[0].state, study.trials[0].user_attrs) == (TrialState.PRUNED, {"reason": "diverged"})
    lost = study.ask()
    study.tell(lost.number, state=TrialState.FAIL)
    for train in (curve(1.0), lambda on_epoch: None):
        status = train_trial(study, lost, train).status
        assert status in ("lost", "diverged")
    assert (study.trials[1].state, study.trials[1].user_attrs) == (TrialState.FAIL, {})


def test_values_lie_between_their_ends_and_what_has_no_choices_is_not_drawn():
    trial = new_study().ask()
    values = suggest(trial, [], {"alpha_w": (0.2, 0.3)})
    assert list(values) == ["alpha_w"]
    assert 0.2 <= values["alpha_w"] <= 0.3
    assert suggest(new_study().ask(), ["8-4"], {}) == {"encoder": "8-4"}
