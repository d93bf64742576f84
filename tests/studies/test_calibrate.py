"""The trial run that tells m."""

import io

import numpy as np
import pytest

from adama_jax.cli.commands.calibrate import print_trial
from adama_jax.config.names import with_settings
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.state import to_numpy
from adama_jax.screen.console import Screen
from adama_jax.studies.calibrate import Trial, trial
from adama_jax.training.population import population
from tests.helpers import small

CONFIG = with_settings(
    small(), {"seeds": 2, "rates.trial_updates": 12, "rates.critic_scale": "auto"}
)


@pytest.mark.slow
def test_it_is_the_mean_that_auto_finds_within_a_run():
    people = population(make_train(CONFIG), 2)
    state, _ = people.chunk(people.init([0, 1], make_hyper(CONFIG)), 12)
    found = trial(CONFIG)
    assert found.critic_term.shape == (2, 12)
    np.testing.assert_allclose(
        found.means, to_numpy(state.learner.rule.mean_critic_term, 2), rtol=1e-4
    )
    assert found.scale == pytest.approx(found.means.mean())


@pytest.mark.slow
def test_a_round_with_more_updates_than_the_trial_is_cut_to_it():
    """Six worlds per round, 200 updates per episode.

    The trial's twelve updates are one round, two for each episode.
    """
    many = with_settings(
        CONFIG, {"learning.updates_per_episode": 200, "learning.envs_per_run": 6}
    )
    once = with_settings(many, {"learning.updates_per_episode": 2})
    assert trial(many).critic_term.shape == (2, 1)
    np.testing.assert_array_equal(trial(many).critic_term, trial(once).critic_term)


@pytest.mark.slow
def test_a_trial_goes_on_after_rounds_of_random_actions():
    """11 steps are two episodes of ten; then 5 updates an episode: 12 are three of them."""
    changes = {"learning.warmup_steps": 11, "learning.update_every": 2}
    found = trial(with_settings(CONFIG, changes))
    assert found.critic_term.shape == (2, 3)
    assert np.isfinite(found.critic_term).all()
    assert (found.episodes, found.updates) == (5, 15)


def of(critic_term):
    """A trial with these terms, an episode and an update a column."""
    rounds = critic_term.shape[1]
    return Trial(critic_term, rounds, rounds)


def test_a_seed_that_is_not_finite_is_left_out():
    assert of(np.array([[1.0, 3.0], [np.inf, 1.0], [np.nan, 1.0]])).scale == 2.0
    assert np.isnan(of(np.full((2, 3), np.nan)).scale)


def printed(config, critic_term):
    """The exit code and what is on the screen."""
    console = Screen(file=io.StringIO(), width=100)
    return print_trial(config, of(critic_term), console), console.file.getvalue()


def with_m(scale):
    return with_settings(CONFIG, {"rates.critic_scale": scale})


RISING = np.tile(np.arange(12.0), (2, 1))  # of mean 5.5


def test_what_is_printed():
    code, text = printed(with_m(50.0), RISING)
    assert code == 0
    assert "Mean over 12 updates" in text
    code, text = printed(CONFIG, np.stack([RISING[0], np.full(12, np.inf)]))
    assert code == 0 and "1 of 2 seeds are not finite and left out" in text
    code, text = printed(CONFIG, np.full((2, 12), np.inf))
    assert code == 1 and "not finite in any seed" in text


ADVICE = [
    # kappa / m is within its bounds, 0.1 and 0.9.
    (50.0, RISING, "Use m=5.5 (now 50.0), or m=auto", None),
    (100.0, RISING, "Use m=5.5 (now 100.0), or m=auto", "kappa / m is 0.055"),
    (5.0, RISING, "Use m=5.5 (now 5.0), or m=auto", "goes to its most"),
    ("auto", RISING, "m=auto, which is in use", None),
    (50.0, np.zeros((2, 12)), "kappa is zero throughout", None),
]


@pytest.mark.parametrize(("used", "critic_term", "advice", "why"), ADVICE)
def test_there_is_one_advice_and_what_speaks_for_it(used, critic_term, advice, why):
    _, text = printed(with_m(used), critic_term)
    assert advice in text
    assert ("section 4.4.1" in text) == (why is not None)
    assert why is None or why in text
    # What to do is said once.
    assert text.count("Use m=") + text.count("m=auto, which is in use") <= 1
    assert "before you change" not in text
