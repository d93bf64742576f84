"""Many runs in one compiled program: `vmap` over seeds and hyperparameters, the population axis sharded over devices.

The same path serves several GPUs and several CPU cores, one host device a core: XLA's second thread hardly helps
matrices this small. No device ever waits for another: there are no collectives. Only where there are more devices than
pairs of runs do those left over take a share of each minibatch (`execution.devices`), and the gradients are exchanged.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from adama_jax.training.learner import LearnerState
from adama_jax.training.replay import ReplayState
from adama_jax.training.trainer import Metrics, Trainer, TrainHyper, TrainState
from adama_jax.types import Episode, PyTree

# Where the population axis is: counters are the same for all runs and have none.
AXES = TrainState(
    learner=LearnerState(params=0, targets=0, optimizers=0, rule=0, hyper=0, updates=None),  # pyright: ignore
    replay=ReplayState(rows=0, added=None),  # pyright: ignore[reportArgumentType]
    exploration=0,  # pyright: ignore[reportArgumentType]
    key=0,  # pyright: ignore[reportArgumentType]
    episode=None,  # pyright: ignore[reportArgumentType]
    health=0,  # pyright: ignore[reportArgumentType]
)


MINIBATCH = "minibatch"  # the mesh axis of devices that share the minibatches of the same runs
LONG = 200  # steps of an episode, from which its program is optimised whatever it runs for


class Population(NamedTuple):
    """A `Trainer` over S runs, jitted. Every array gains the axis S in front, the counters excepted.

    init: `(seeds [S], hyper) -> TrainState`; leaves of `hyper` are numbers (for all runs) or [S].
    shapes: `(hyper) -> TrainState` of shapes, to compile with before anything is allocated.
    chunk: `(state, length) -> (state, Metrics)`; the state is donated, do not use it again.
    evaluate: `(state) -> [S]`.
    play: `(state, keys [E]) -> Episode`, every leaf leading with S, E.
    width: S with what was added to divide evenly over the devices; cut results to the first S (`host`).
    devices: how many are used; never so many that one of them holds a lone run.
    layout: the shardings of a state, a prefix of it.
    """

    init: Callable[[Sequence[int], TrainHyper], TrainState]
    shapes: Callable[[TrainHyper], TrainState]
    chunk: Callable[..., tuple[TrainState, Metrics]]
    evaluate: Callable[[TrainState], jax.Array]
    play: Callable[[TrainState, jax.Array], Episode]
    width: int
    devices: int
    layout: PyTree


def population(
    trainer: Trainer, size: int, devices: Sequence[Any] | None = None, sharing: int = 1
) -> Population:
    """Run `size` copies of `trainer`, sharded over `devices` (the local ones unless given).

    Args:
        trainer: a run.
        size: how many.
        devices: as many of these are used as there are pairs of runs, times `sharing`.
        sharing: how many devices share a minibatch; more than one only for a trainer made for as many.

    Run i depends on its own seed and hyperparameters only: whoever shares its program, it is equal bit for bit in
    programs of the same width (2 or more a device) on the same kind and number of devices, and to rounding in others
    (a second-order rule's secant only about, where another number of devices shares its minibatch).

    A grid over gamma with two seeds, four runs in one program:

    >>> import dataclasses, numpy as np
    >>> from adama_jax.execution.build import make_hyper, make_train
    >>> from adama_jax.config.schema import scenario_config
    >>> config = dataclasses.replace(scenario_config("going_together"), episodes=5)
    >>> hyper = make_hyper(config)
    >>> grid = hyper._replace(learner=hyper.learner._replace(discount=np.array([0.9, 0.9, 0.99, 0.99])))
    >>> people = population(make_train(config), 4)
    >>> state, metrics = people.chunk(people.init([0, 1, 0, 1], grid), 5)
    >>> metrics.train_return.shape, metrics.actor_rates.shape
    ((4,), (4, 2))
    """
    devices = list(devices or jax.local_devices())
    groups = min(len(devices) // sharing, -(-size // 2))  # two runs or more a device
    devices = devices[: groups * sharing]
    width = -(-size // groups) * groups
    mesh = Mesh(np.array(devices).reshape(groups, sharing), ("population", MINIBATCH))
    along, same = (
        NamedSharding(mesh, PartitionSpec("population")),
        NamedSharding(mesh, PartitionSpec()),
    )
    layout = jax.tree.map(
        lambda axis: same if axis is None else along, AXES, is_leaf=lambda axis: axis is None
    )

    specs = jax.tree.map(lambda sharding: sharding.spec, layout)

    # A shard_map, so that what a device does one run after another stays on that device.
    def chunk(state: TrainState, length: int) -> tuple[TrainState, Metrics]:
        together = jax.vmap(
            lambda one: trainer.chunk(one, length), in_axes=(AXES,), out_axes=(AXES, 0)
        )
        on_each = jax.shard_map(
            together, mesh=mesh, in_specs=(specs,), out_specs=(specs, along.spec), check_vma=False
        )
        return on_each(state)

    # Of a start's compilation on a CPU a third went into init and play, which run once: they are not optimised there,
    # unless an episode is so long that playing it would take longer than that saves (25 s for a half-cheetah).
    once = {"xla_backend_optimization_level": 0} if devices[0].platform == "cpu" else None
    jit_init = jax.jit(
        jax.vmap(trainer.init, out_axes=AXES), out_shardings=layout, compiler_options=once
    )
    jit_chunk = jax.jit(
        chunk,
        static_argnums=1,
        donate_argnums=0,
        in_shardings=(layout,),
        out_shardings=(layout, along),
    )
    jit_evaluate = jax.jit(
        jax.vmap(trainer.evaluate, in_axes=(AXES,)), in_shardings=(layout,), out_shardings=along
    )
    jit_play = partial(
        jax.jit,
        jax.vmap(trainer.play, in_axes=(AXES, None)),
        in_shardings=(layout, same),
        out_shardings=along,
    )

    def init(seeds: Sequence[int], hyper: TrainHyper) -> TrainState:
        if len(seeds) != size:
            raise ValueError(f"{len(seeds)} seeds for a population of {size}")
        return jit_init(*jax.device_put(spread(seeds, hyper), along))

    def play(state: TrainState, keys: jax.Array) -> Episode:
        steps = state.replay.rows.shape[-2] - 1
        return jit_play(compiler_options=once if steps < LONG else None)(state, keys)

    def shapes(hyper: TrainHyper) -> TrainState:
        return jax.eval_shape(jit_init, *spread([0] * size, hyper))

    def spread(seeds: Sequence[int], hyper: TrainHyper) -> tuple[jax.Array, TrainHyper]:
        rows = np.arange(width) % size
        keys = jax.vmap(jax.random.key)(np.asarray(seeds, np.uint32)[rows])
        return keys, jax.tree.map(
            lambda leaf: np.broadcast_to(np.asarray(leaf, np.float32), (size,))[rows], hyper
        )

    return Population(init, shapes, jit_chunk, jit_evaluate, play, width, len(devices), layout)


def host(values: PyTree, size: int) -> PyTree:
    """Results of the first `size` runs as NumPy arrays; what only filled up the devices is dropped."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:size], values)
