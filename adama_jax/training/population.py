"""Many members in one compiled program: `vmap` over seeds and hyperparameters, and devices.

The same path serves several GPUs and several CPU cores, one host device a core: XLA's second thread
hardly helps matrices this small. No device ever waits for another: there are no collectives. Only
where there are more devices than pairs of members do those left over take a share of each minibatch
(`execution/devices.py` counts them), and the gradients are exchanged.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from adama_jax.keys import key_of
from adama_jax.training.replay import ReplayState
from adama_jax.training.states import LearnerState
from adama_jax.training.trainer import Metrics, Trainer, TrainHyper, TrainState
from adama_jax.types import Device, Episode, PyTree

MEMBERS = "population"  # the mesh axis that the members are sharded over
MINIBATCH = "minibatch"  # the mesh axis of devices that share the minibatches of the same members

# Steps of an episode from which its program is optimized, though it may run only once.
LONG_EPISODE = 200


def _prefix(kind: Callable[..., Any], **axes: Any) -> Any:
    """A state with axes in the place of arrays, as `vmap` reads them."""
    return kind(**axes)


# Where the population axis is: counters are the same for all members and have none.
AXES: PyTree = _prefix(
    TrainState,
    learner=_prefix(
        LearnerState,
        params=0,
        targets=0,
        optimizers=0,
        rule=0,
        hyper=0,
        updates=None,
        measured=0,
    ),
    replay=_prefix(ReplayState, rows=0, added=None),
    exploration=0,
    key=0,
    episode=None,
    non_finite=0,
    moments=0,
    world=0,
)


class Population(NamedTuple):
    """A `Trainer` over S members, jitted. Every array gains the axis S in front, but the counters.

    init: `(seeds [S], hyper) -> TrainState`; leaves of `hyper` are numbers (for all) or [S].
    shapes: `(hyper) -> TrainState` of shapes, to compile with before anything is allocated.
    chunk: `(state, length) -> (state, Metrics)`; the state is donated, do not use it again.
    evaluate: `(state) -> [S]`.
    play: `(state, keys [E]) -> Episode`, every leaf leading with S, E.
    width: S with what was added to divide evenly over the devices; cut results to the first S.
    devices: how many are used; never so many that one of them holds a lone member.
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
    trainer: Trainer,
    size: int,
    devices: Sequence[Device] | None = None,
    sharing: int = 1,
) -> Population:
    """Train `size` members, sharded over `devices` (the local ones unless given).

    Args:
        trainer: of one member.
        size: how many.
        devices: as many of these are used as there are pairs of members, times `sharing`.
        sharing: how many devices share a minibatch; more than one only for a trainer made for as
            many.

    Member i depends on its own seed and hyperparameters only: whoever shares its program, it is
    equal bit for bit in programs of the same width (2 or more a device) on the same kind and number
    of devices, and to rounding in others (a second-order rule's secant only about, where another
    number of devices shares its minibatch).

    A grid over gamma with two seeds, four members in one program:

    >>> import dataclasses, numpy as np
    >>> from adama_jax.execution.build import make_hyper, make_train
    >>> from adama_jax.config.schema import scenario_config
    >>> config = dataclasses.replace(scenario_config("going_together"), episodes=5)
    >>> hyper = make_hyper(config)
    >>> gammas = np.array([0.9, 0.9, 0.99, 0.99])
    >>> grid = hyper._replace(learner=hyper.learner._replace(discount=gammas))
    >>> members = population(make_train(config), 4)
    >>> state, metrics = members.chunk(members.init([0, 1, 0, 1], grid), 5)
    >>> metrics.train_return.shape, metrics.actor_rates.shape
    ((4,), (4, 2))
    """
    mesh = _mesh(size, list(devices or jax.local_devices()), sharing)
    groups = mesh.shape[MEMBERS]
    width = -(-size // groups) * groups
    sharded = NamedSharding(mesh, PartitionSpec(MEMBERS))
    copied = NamedSharding(mesh, PartitionSpec())
    layout = _layout(sharded, copied)

    def init(seeds: Sequence[int], hyper: TrainHyper) -> TrainState:
        if len(seeds) != size:
            raise ValueError(f"{len(seeds)} seeds for a population of {size}")
        keys_and_hyper = _filled_up(seeds, hyper, width)
        return jit_init(*jax.device_put(keys_and_hyper, sharded))

    def shapes(hyper: TrainHyper) -> TrainState:
        return jax.eval_shape(jit_init, *_filled_up([0] * size, hyper, width))

    once = _options_to_run_once(mesh)
    jit_init = jax.jit(
        jax.vmap(trainer.init, out_axes=AXES),
        out_shardings=layout,
        compiler_options=once,
    )
    jit_evaluate = jax.jit(
        jax.vmap(trainer.evaluate, in_axes=(AXES,)),
        in_shardings=(layout,),
        out_shardings=sharded,
    )
    jit_play = jax.jit(
        jax.vmap(trainer.play, in_axes=(AXES, None)),
        in_shardings=(layout, copied),
        out_shardings=sharded,
        # Playing long episodes unoptimized takes longer than it saves (25 s for a half-cheetah).
        compiler_options=once if trainer.horizon < LONG_EPISODE else None,
    )
    return Population(
        init=init,
        shapes=shapes,
        chunk=_jitted_chunk(trainer, mesh, layout, sharded),
        evaluate=jit_evaluate,
        play=jit_play,
        width=width,
        devices=mesh.size,
        layout=layout,
    )


def _mesh(size: int, devices: Sequence[Device], sharing: int) -> Mesh:
    """Groups of `sharing` devices, each with members of its own."""
    # Two members or more a group: a lone one is compiled otherwise, and differs in the last bits.
    groups = min(len(devices) // sharing, -(-size // 2))
    used = np.array(devices[: groups * sharing])
    return Mesh(used.reshape(groups, sharing), (MEMBERS, MINIBATCH))


def _options_to_run_once(mesh: Mesh) -> dict[str, Any] | None:
    """For `init` and `play`, which run once: on a CPU their optimization does not pay."""
    # A third of the compilation at a start went into them.
    on_cpu = mesh.devices.flat[0].platform == "cpu"
    return {"xla_backend_optimization_level": 0} if on_cpu else None


def _layout(sharded: NamedSharding, copied: NamedSharding) -> PyTree:
    """How a state lies on the devices: members divided among them, counters on each."""
    return jax.tree.map(
        lambda axis: copied if axis is None else sharded,
        AXES,
        is_leaf=lambda axis: axis is None,
    )


def _filled_up(
    seeds: Sequence[int],
    hyper: TrainHyper,
    width: int,
) -> tuple[jax.Array, TrainHyper]:
    """Keys and hyperparameters, [width]; the rows beyond the seeds are copies of the first."""
    size = len(seeds)
    rows = np.arange(width) % size

    def of_all(leaf: Any) -> np.ndarray:
        numbers = np.asarray(leaf, np.float32)
        return np.broadcast_to(numbers, (size,))[rows]

    keys = jax.vmap(key_of)(np.asarray(seeds, np.uint32)[rows])
    return keys, jax.tree.map(of_all, hyper)


def _jitted_chunk(
    trainer: Trainer,
    mesh: Mesh,
    layout: PyTree,
    sharded: NamedSharding,
) -> Callable[..., tuple[TrainState, Metrics]]:
    """The members' chunks; each device computes its own members'."""
    specs = jax.tree.map(lambda sharding: sharding.spec, layout)

    # A shard_map, so that what a device does one member after another stays on that device.
    def chunk(state: TrainState, length: int) -> tuple[TrainState, Metrics]:
        def of_one(member: TrainState) -> tuple[TrainState, Metrics]:
            return trainer.chunk(member, length)

        of_a_device = jax.vmap(of_one, in_axes=(AXES,), out_axes=(AXES, 0))
        of_all = jax.shard_map(
            of_a_device,
            mesh=mesh,
            in_specs=(specs,),
            out_specs=(specs, sharded.spec),
            check_vma=False,
        )
        return of_all(state)

    return jax.jit(
        chunk,
        static_argnums=1,
        donate_argnums=0,
        in_shardings=(layout,),
        out_shardings=(layout, sharded),
    )
