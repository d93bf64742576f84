"""The paper's whole grid x 5 seeds fits one GPU: 500 runs of predator-prey with 1e6 transitions
each, 60 GiB.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import psutil
import pytest

from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.devices import bytes_needed, free_in_groups
from adama_jax.training.population import population
from adama_jax.training.replay import ReplayState, ring_replay
from adama_jax.types import Episode

RUNS, LIMIT = 500, 60 * 2**30
CONFIG = scenario_config("predator_prey")


def size(tree):
    return sum(
        int(np.prod(leaf.shape)) * np.dtype(leaf.dtype).itemsize
        for leaf in jax.tree.leaves(tree)
    )


def test_the_state_of_500_runs_by_its_shapes():
    """20 x 50,000 transitions each, nothing evicted; the rings have more than 2^31 numbers."""
    train = make_train(CONFIG)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(CONFIG))
    assert (
        state.replay.rows.shape[0] * CONFIG.horizon == CONFIG.learning.capacity == 10**6
    )
    assert 37 * 2**30 < RUNS * size(state.replay) < 40 * 2**30
    rest = state._replace(replay=None, key=None)
    assert RUNS * size(rest) < 2**30
    assert RUNS * state.replay.rows.size > 2**31


@pytest.mark.slow
def test_the_compiled_program_of_500_runs():
    """What the compiler says of 8 and of 4 runs, the minibatch whole as on a GPU: each further run
    adds so much.
    """
    needs = []
    for runs in (4, 8):
        people = population(make_train(CONFIG, platform="gpu"), runs, jax.devices()[:1])
        needs.append(
            bytes_needed(
                people.chunk.lower(people.shapes(make_hyper(CONFIG)), 100).compile()
            )
        )
    whole = needs[0] + (RUNS - 4) * (needs[1] - needs[0]) / 4
    print(f"500 runs: {whole / 2**30:.1f} GiB")
    assert 38 * 2**30 < whole < LIMIT


@pytest.mark.slow
@pytest.mark.skipif(
    psutil.virtual_memory().available < 12 * 2**30, reason="needs 9 GiB"
)
def test_rings_of_more_than_2_to_the_31_numbers():
    """110 runs' whole rings in one array: what is written and drawn beyond 2^31 is what belongs
    there.
    """
    runs, episodes, steps, size, actions = 110, 50_000, 20, 10, 8
    replay = ring_replay(episodes, 1024, size)
    axes = ReplayState(0, None)  # pyright: ignore[reportArgumentType]

    def episode(run, label):
        """Every number tells the run, the episode and the step."""
        step = run * 100.0 + label + jnp.arange(steps + 1.0) / 32
        snapshot, action = (
            jnp.tile(step[:, None], (1, size)),
            jnp.tile(step[:-1, None], (1, actions)),
        )
        return Episode(snapshot, action, step[:-1], jnp.zeros(steps, bool))

    numbers = jnp.arange(runs)
    write = jax.jit(
        lambda state, label: jax.vmap(replay.add, (axes, 0), axes)(
            state, jax.vmap(episode, (0, None))(numbers, label)
        ),
        donate_argnums=0,
    )
    state = ReplayState(
        jnp.zeros((runs, episodes, steps + 1, size + actions + 2)),
        jnp.zeros((), jnp.int32),
    )
    assert state.rows.size > 2**31
    for label in range(3):
        state = write(state, label)
    keys = jax.random.split(jax.random.key(0), runs)
    drawn = jax.jit(jax.vmap(replay.sample, (axes, 0)))(state, keys)
    written = {(run, label) for run in range(runs) for label in range(3)}
    assert {
        divmod(int(value), 100) for value in np.unique(np.floor(drawn.reward))
    } == written
    np.testing.assert_array_equal(drawn.snapshot[:, :, 0], drawn.reward)
    np.testing.assert_allclose(
        drawn.next_snapshot[:, :, 0] - drawn.reward, 1 / 32, atol=2e-3
    )
    state = write(state._replace(added=jnp.int32(episodes - 1)), 7)
    last = jax.lax.dynamic_slice(
        state.rows, (runs - 1, episodes - 2, 0, 0), (1, 2, steps + 1, size)
    )[0]
    np.testing.assert_array_equal(last[0], 0)
    np.testing.assert_array_equal(last[1], episode(runs - 1, 7).snapshot)


def test_the_memory_of_a_group_of_version_1(tmp_path):
    """3 GB left of the job's own limit; the groups above it set none."""
    job = tmp_path / "memory" / "slurm" / "job_7"
    job.mkdir(parents=True)
    no_limit = 9223372036854771712
    for folder, limit, used in (
        (job, 4 * 10**9, 1_500_000_000),
        (job.parent, no_limit, 2_500_000_000),
        (job.parent.parent, no_limit, 9_500_000_000),
    ):
        (folder / "memory.limit_in_bytes").write_text(f"{limit}\n", encoding="utf-8")
        (folder / "memory.usage_in_bytes").write_text(f"{used}\n", encoding="utf-8")
        cache = "inactive_file 7\ntotal_inactive_file 500000000\n"
        (folder / "memory.stat").write_text(
            f"cache 900000000\n{cache}", encoding="utf-8"
        )
    # Of a system with both versions, where memory is the first's.
    own = tmp_path / "own"
    own.write_text(
        "11:cpuset:/\n4:memory:/slurm/job_7\n1:name=a:b:/x\n0::/user.slice\n",
        encoding="utf-8",
    )
    assert free_in_groups(tmp_path, own) == [3 * 10**9]
    # In a container the group's own path is that of the host, and the mount is the group.
    (job.parent.parent / "memory.limit_in_bytes").write_text(
        "10000000000\n", encoding="utf-8"
    )
    own.write_text("4:cpu,memory:/docker/0123456789\n", encoding="utf-8")
    assert free_in_groups(tmp_path, own) == [10**9]


class Used(NamedTuple):
    """What a compiled program says of its memory."""

    argument_size_in_bytes: int
    output_size_in_bytes: int
    alias_size_in_bytes: int
    temp_size_in_bytes: int


class Program(NamedTuple):
    used: Used

    def memory_analysis(self):
        return self.used


def test_a_donated_state_counts_once():
    """1000 bytes in, 1100 out of which 1000 lie where they lay, and 70 beside."""
    assert bytes_needed(Program(Used(1000, 1100, 1000, 70))) == 1170
    assert bytes_needed(Program(Used(1000, 1100, 0, 70))) == 2170
