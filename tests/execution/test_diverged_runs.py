"""Seeds that diverge: named, left out, and the others not touched."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.execution.events import Diverged, Divergence
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import load_run
from tests.helpers import (
    ALWAYS,
    ONE,
    arrays_of_run,
    short,
)


@pytest.fixture
def nan_at_update_230(monkeypatch):
    """Update 230 puts NaN into a kernel of the critic where the secant step, which nothing reads,
    is negative.
    """
    import adama_jax.execution.build as compose

    honest = compose.learner

    def learner(*arguments, **options):
        learn = honest(*arguments, **options)

        def update(state, batch, key):
            now = (state.updates == 230) & (state.hyper.secant_step < 0)
            state, metrics = learn.update(state, batch, key)
            critic = state.params.critic
            broken = jax.tree_util.tree_map_with_path(
                lambda path, leaf: (
                    jnp.where(now, jnp.nan, leaf)
                    if "Dense_1" in str(path) and leaf.ndim > 1
                    else leaf
                ),
                critic,
            )
            return state._replace(params=state.params._replace(critic=broken)), metrics

        return learn._replace(update=update)

    monkeypatch.setattr(compose, "learner", learner)

    def mark(seeds):
        honest_hypers = compose.stacked_hypers

        def marked(configs):
            hyper = honest_hypers(configs)
            step = hyper.learner.secant_step.copy()
            step[seeds] = -1
            return hyper._replace(learner=hyper.learner._replace(secant_step=step))

        monkeypatch.setattr("adama_jax.execution.loop.stacked_hypers", marked)

    return mark


@pytest.mark.slow
def test_a_run_that_breaks_is_named_and_the_others_are_not_touched(
    tmp_path, nan_at_update_230
):
    config = short(seeds=4)
    nan_at_update_230([])
    assert run([config], tmp_path / "well", devices=ONE, width=4) == [{}]
    nan_at_update_230([2])
    heard = []
    hooks = Hooks(observers=[write_log, heard.append])
    found = run([config], tmp_path / "ill", hooks, ONE, 4, training=ALWAYS)
    (broken,) = found[0].items()
    assert broken == (2, Divergence(episode=57, update=230, leaf=broken[1].leaf))
    assert broken[1].leaf.startswith("params.critic") and broken[1].leaf.endswith(
        "kernel"
    )
    (told,) = (event for event in heard if isinstance(event, Diverged))
    assert [member.seed for member in told.members] == [2] and told.divergences == [
        broken[1]
    ]
    well, ill = (
        load_run(run_folder(tmp_path / where, config)) for where in ("well", "ill")
    )
    assert (
        ill.meta["diverged"] == {"2": 57}
        and ill.meta["diverged_in"]["2"]["update"] == 230
    )
    rows, broken_run = [0, 1, 3], arrays_of_run(ill)
    for name, values in arrays_of_run(well).items():
        if np.shape(values)[:1] == (4,):
            np.testing.assert_array_equal(
                values[rows], broken_run[name][rows], err_msg=name
            )
    assert np.isnan(ill.metrics["eval_return"][2, 1:]).all() and np.isfinite(
        ill.metrics["eval_return"][2, 0]
    )


@pytest.mark.slow
def test_a_run_of_which_every_seed_breaks_keeps_its_last_good_checkpoint(
    tmp_path, nan_at_update_230
):
    nan_at_update_230([0, 1])
    config = short()
    found = run([config], tmp_path, devices=ONE, training=ALWAYS)
    assert set(found[0]) == {0, 1}
    folder = run_folder(tmp_path, config)
    (place,) = folder.glob("checkpoints/*/state")
    with Checkpoints(place) as checkpoints:
        newest = checkpoints.read(checkpoints.steps()[0])
    assert newest.step == 50
    assert all(
        np.isfinite(leaf).all()
        for leaf in newest.arrays.values()
        if leaf.dtype.kind == "f"
    )
