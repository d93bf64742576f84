"""Multi-agent soft actor-critic (MASAC): Gaussian actors, twin critics, entropy, temperatures.

Haarnoja et al., Soft Actor-Critic Algorithms and Applications (2018), with one centralised pair of
critics for a team as in MADDPG: each agent has a policy, and a temperature that keeps its entropy
near a target. Public code with the same parts: Mava's `ff_masac.py` and HARL's HASAC. Unlike Mava's
the actors' objective draws the actions of all agents anew, as the paper's J has it: with the
others' actions from the replay no pair of agents would have a curvature. With N = 1 it is SAC.

What AdaMa's quantities are here:

* J = mean_b min(Q_1, Q_2)(o, a) + sum_i alpha_i H_i, with a drawn from all policies (by the noise
  of this update, of which a is a smooth function) and H_i the mean of -log pi_i. With the Q-part
  alone a contribution could be negative on plain gradients, against section 3.3. The parts are
  logged as `part_value` and `part_entropy`.
* Contributions: of all of J. On plain gradients a squared norm, and so never negative.
* Critic term: of the Q-part, for log pi does not see the critic. A transition's share is that of
  the critic which is the smaller one there; the direction descends the sum of both TD losses.
* Curvature: of the Q-part, along the drawn actions at the same noise. An agent's entropy is of its
  own actor alone and adds nothing off the diagonal; its own second derivative is left out, as the
  actors' own are in Eq. (3).
* With `n_step` the targets lack the entropies of the steps in between.
* The temperatures are no part of l: they step at a fixed rate, whatever the rule does. They weigh
  the entropy in J, so that contributions change as they do; no rule reads more of them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from adama_jax.algorithms.algorithm import Algorithm, Group, sum_of
from adama_jax.algorithms.critics.twin import TwinCritic
from adama_jax.algorithms.losses import td_loss, td_target
from adama_jax.algorithms.networks import MLP, swap_batch_and_features
from adama_jax.algorithms.settings import SMOOTH, OfMASAC
from adama_jax.algorithms.team import Team
from adama_jax.types import Batch, Params, PyTree

# Bounds of the logarithm of a standard deviation, as in the SAC authors' code.
LEAST_LOG_STD = -20.0
MOST_LOG_STD = 2.0
TEMPERATURE = "log_temperature"  # the group's name


class GaussianActor(nn.Module):
    """Mean and log standard deviation of an action before its tanh. [B, O] to [B, A] x 2"""

    action_size: int
    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: Array) -> tuple[Array, Array]:
        size = 2 * self.action_size
        network = MLP(self.hidden, size, self.activation, self.layer_norm)
        output = network(swap_batch_and_features(obs))
        both = swap_batch_and_features(output)
        mean, log_std = jnp.split(both, 2, axis=-1)
        return mean, jnp.clip(log_std, LEAST_LOG_STD, MOST_LOG_STD)


class Drawn(NamedTuple):
    """Actions of all agents, and how likely they were."""

    action: Array  # [N, B, A], in [-1, 1]; 0 where it is padded
    log_density: Array  # log pi_i(a_i | o_i), [N, B]


def tanh_gaussian(
    mean: Array,
    log_std: Array,
    noise: Array,
    mask: Array,
) -> Drawn:
    """a = tanh(mean + std noise), and its log density, for standard normal noise.

    Args:
        mean, log_std, noise: [N, B, A].
        mask: 1 where an agent has an action, 0 where it is padding. [N, 1, A]

    >>> import jax.numpy as jnp
    >>> zeros, ones = jnp.zeros((1, 1, 1)), jnp.ones((1, 1, 1))
    >>> drawn = tanh_gaussian(zeros, zeros, ones, ones)
    >>> round(float(drawn.action[0, 0, 0]), 4), round(float(drawn.log_density[0, 0]), 4)
    (0.7616, -0.5514)
    """
    before = mean + jnp.exp(log_std) * noise
    log_normal = -0.5 * noise**2 - log_std - 0.5 * jnp.log(2 * jnp.pi)
    # log(1 - tanh(x)^2), in a form that does not round to log(0).
    log_slope = 2 * (jnp.log(2.0) - before - jax.nn.softplus(-2 * before))
    log_density = jnp.sum((log_normal - log_slope) * mask, axis=-1)
    return Drawn(jnp.tanh(before) * mask, log_density)


def masac(
    temperature: float = OfMASAC.temperature,
    temperature_rate: float = OfMASAC.temperature_rate,
    target_entropy: float = OfMASAC.target_entropy,
    **team: Any,
) -> Algorithm:
    """MASAC with one pair of critics for the team and a temperature an agent.

    It explores by its own policies, and acts greedily by the tanh of their means.

    Args:
        temperature: alpha of all agents at the start.
        temperature_rate: the learning rate of log alpha, apart from the total l.
        target_entropy: what a temperature keeps an agent's entropy near, in nats for each number
            of its action; -1 is SAC's.
        team: the fields of `Team`. Of its critic there are two; what pads an action is 0, has no
            density and no entropy; the horizon is not read.

    Raises:
        ValueError: an unknown critic.

    >>> import jax
    >>> algorithm = masac(num_agents=2, obs_size=3, action_size=2)
    >>> params = algorithm.init(jax.random.key(0))
    >>> algorithm.act(params.actors, jax.numpy.zeros((2, 5, 3))).shape
    (2, 5, 2)
    >>> params.others["log_temperature"].tolist()
    [0.0, 0.0]
    """
    of = Team(**team)
    mask = of.mask
    actor_net = of.actor(GaussianActor)
    critic_net = TwinCritic(of.critic_class, of.widths, of.critic_activation)

    def init(key: Array) -> Params:
        params = of.init(actor_net, critic_net, key)
        start = jnp.full(of.num_agents, jnp.log(temperature))
        return params._replace(others={TEMPERATURE: start})

    def gaussians(
        actors: PyTree,
        obs: Array,
    ) -> Any:
        return jax.vmap(actor_net.apply)(actors, obs)

    def act(
        actors: PyTree,
        obs: Array,
    ) -> Array:
        mean, _ = gaussians(actors, obs)
        return jnp.tanh(mean) * mask

    def drawn(
        actors: PyTree,
        obs: Array,
        key: Array,
    ) -> Drawn:
        mean, log_std = gaussians(actors, obs)
        noise = jax.random.normal(key, mean.shape)
        return tanh_gaussian(mean, log_std, noise, mask)

    def policy(
        actors: PyTree,
        batch: Batch,
        key: Array,
    ) -> Array:
        return drawn(actors, batch.obs, key).action

    def sample(
        actors: PyTree,
        obs: Array,
        noise: Array,
        share: Array,
    ) -> Array:
        # The noise of a step is its key.
        return drawn(actors, obs, noise).action

    def value(
        critic: PyTree,
        obs: Array,
        action: Array,
    ) -> Array:
        both: Any = critic_net.apply(critic, obs, action)
        return jnp.min(both, axis=0)

    def entropy_bonus(params: Params, log_density: Array) -> Array:
        """sum_i -alpha_i log pi_i, of each transition. [N, B] to [B]"""
        temperatures = jnp.exp(params.others[TEMPERATURE])
        return -jnp.sum(temperatures[:, None] * log_density, axis=0)

    def critic_loss(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> Array:
        # The next actions are the present policies': SAC has no target actors.
        after = drawn(params.actors, batch.next_obs, key)
        next_value = value(targets.critic, batch.next_obs, after.action)
        soft_value = next_value + entropy_bonus(params, after.log_density)
        target = td_target(batch.reward, batch.terminated, soft_value, discount)
        both: Any = critic_net.apply(params.critic, batch.obs, batch.action)
        first, second = both
        return td_loss(first, target) + td_loss(second, target)

    def parts(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> dict[str, Array]:
        now = drawn(params.actors, batch.obs, key)
        values = value(params.critic, batch.obs, now.action)
        bonus = entropy_bonus(params, now.log_density)
        return {"value": jnp.mean(values), "entropy": jnp.mean(bonus)}

    def temperature_loss(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> Array:
        now = drawn(params.actors, batch.obs, key)
        # Its slope by log alpha: how much more entropy there is than there should be.
        entropy = -jnp.mean(now.log_density, axis=1)
        wanted = target_entropy * jnp.sum(mask, axis=(1, 2))  # [N]
        surplus = jax.lax.stop_gradient(entropy - wanted)
        return jnp.sum(params.others[TEMPERATURE] * surplus)

    return Algorithm(
        init=init,
        act=act,
        sample=sample,
        policy=policy,
        value=value,
        smooth=of.critic_activation in SMOOTH,
        critic_loss=critic_loss,
        objective=sum_of(parts),
        groups={TEMPERATURE: Group(temperature_loss, temperature_rate)},
        parts=parts,
        part_names=("value", "entropy"),
    )
