"""FACMAC: MADDPG with a factored critic, and a penalty on large actions.

Peng et al., FACMAC: Factored Multi-Agent Centralised Policy Gradients (NeurIPS 2021); public code:
oxwhirl/facmac, `learners/facmac_learner.py`. The critic is `critics/facmac.py`, which says what
differs; all actors climb it together from everybody's present actions, as in MADDPG here, and as
the paper's centralised policy gradient has it.

What AdaMa's quantities are here:

* J = mean_b Q(o, pi(o)) - penalty x mean pi(o)^2, the mean over transitions, agents and their
  actions (the code has a penalty of 1e-3). Contributions are of all of J; its parts are
  logged as `part_value` and `part_penalty`.
* Critic term: of the Q-part, for the penalty does not see the critic.
* Curvature: of the Q-part. Not zero off the diagonal, unlike DOP's: the mixing network is not
  linear. The penalty adds nothing off the diagonal; its own second derivative by an agent's
  actions is left out.
"""

from collections.abc import Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm, sum_of
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.settings import OfFACMAC
from adama_jax.algorithms.team import true_sizes
from adama_jax.types import Batch, Params

CRITIC_OF = {"monotonic": "facmac", "free": "facmac_free"}


def facmac(
    penalty: float = OfFACMAC.penalty,
    mixing: Literal["monotonic", "free"] = OfFACMAC.mixing,
    critic: str | None = None,
    **team: Any,
) -> Algorithm:
    """FACMAC.

    It explores, acts and has actors as MADDPG does.

    Args:
        penalty: weight of the mean square of the actions, which J is less by.
        mixing: of the utilities: "monotonic", as QMIX has it, or "free".
        critic: not read: it is the factored one.
        team: `maddpg`'s other arguments.

    >>> import jax
    >>> algorithm = facmac(num_agents=2, obs_size=3, action_size=2)
    >>> params = algorithm.init(jax.random.key(0))
    >>> sorted(params.critic["params"])
    ['inner', 'inner_bias', 'outer', 'state_value', 'utilities']
    """
    base = maddpg(critic=CRITIC_OF[mixing], **team)
    total_size = sum(true_sizes(**team))

    def parts(
        params: Params, targets: Params, batch: Batch, *given: jax.Array
    ) -> dict[str, jax.Array]:
        found = of_base(params, targets, batch, *given)
        action = base.act(params.actors, batch.obs)
        # What pads an action is 0, and is not counted.
        squares = jnp.sum(action**2, axis=(0, 2)) / total_size
        # Outputs before the tanh may be penalised too.
        before = found.get("penalty", 0.0)
        return {
            "value": found["value"],
            "penalty": before - penalty * jnp.mean(squares),
        }

    def of_base(*given: Any) -> Mapping[str, jax.Array]:
        if base.parts is None:
            return {"value": base.objective(*given)}
        return base.parts(*given)

    return base._replace(
        objective=sum_of(parts),
        parts=parts,
        part_names=("value", "penalty"),
    )
