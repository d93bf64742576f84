"""HADDPG and HATD3: MADDPG and MATD3 whose actors move one after another.

Zhong et al., Heterogeneous-Agent Reinforcement Learning (JMLR 2024); public code: HARL's
`off_policy_ha_runner.py`. At each update of the actors an order is drawn; each agent climbs the
same J at the point to which those before it have moved, beside the present actors of those after
it. The critic does not move in between. With N = 1 they are DDPG and TD3.

What AdaMa's quantities are here:

* Contributions are measured at those points, so that to first order agent i's is
  c_i + sum_j l_j M_ij over the agents j before it: half of Eq. (3), in a random order.
* Those before have moved at the present rates, of the update before; all then step at the rates
  that follow from what was measured, as everywhere.
* Curvature: what Eq. (3) has beyond that, so that a second-order rule sees the whole of it.

An update takes N gradients by the actors in place of one.
"""

from typing import Any

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.matd3 import matd3


def haddpg(**team: Any) -> Algorithm:
    """MADDPG in turn.

    Args:
        team: `maddpg`'s arguments.

    Raises:
        ValueError: an unknown critic.

    >>> haddpg(num_agents=2, obs_size=3, action_size=2).in_turn
    True
    """
    return maddpg(**team)._replace(in_turn=True)


def hatd3(**given: Any) -> Algorithm:
    """MATD3 in turn.

    Args:
        given: `matd3`'s arguments.

    Raises:
        ValueError: an unknown critic.

    >>> algorithm = hatd3(num_agents=2, obs_size=3, action_size=2, actors_every=3)
    >>> algorithm.in_turn, algorithm.actors_every
    (True, 3)
    """
    return matd3(**given)._replace(in_turn=True)
