"""The reference in PyTorch: MADDPG with one critic on predator-prey, as a good user would write it.

Agents are stacked and go through `torch.baddbmm` together, the replay is preallocated, nothing
loops over samples, the world is NumPy. Fixed learning rates, SGD: the least that any method does,
so every other one would take longer. The tests check its losses and gradients against ours
(`tests/training/test_torch_reference.py`).

PyTorch is no dependency of adama-jax: `pip install torch` beside it. Used by `benchmarks.episodes`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from adama_jax.config.schema import Config

Weights = list[torch.Tensor]  # kernel, bias, kernel, bias, ...


class Settings(NamedTuple):
    """What the reference needs to know; the benchmark takes it from our configuration."""

    num_agents: int = 4
    horizon: int = 20
    side: float = 2.0
    step: float = 0.1
    prey_step: float = 0.12
    touch_radius: float = 0.2
    batch_size: int = 1024
    capacity: int = 1_000_000
    discount: float = 0.97
    critic_rate: float = 7e-3
    actor_rate: float = 1e-3
    target_period: int = 20
    hidden: int = 64
    exploration_episodes: float = 1e4
    exploration_end: float = 0.1

    @property
    def obs_size(self) -> int:
        """The others, the prey and oneself, two numbers each."""
        return 2 * (self.num_agents + 1)


class World:
    """Predator-prey in NumPy: the equations of `adama_jax.envs.mpe.predator_prey`."""

    def __init__(self, settings: Settings, rng: np.random.Generator):
        n = settings.num_agents
        self.settings, self.rng = settings, rng
        others = [np.delete(np.arange(n + 1), agent) for agent in range(n)]
        self.others = np.array(others)  # [N, N], rows of the positions
        self.positions = np.zeros((n + 1, 2), np.float32)

    def reset(self) -> np.ndarray:
        """A new episode's first observations. [N, O]"""
        half = self.settings.side / 2
        starts = self.rng.uniform(-half, half, self.positions.shape)
        self.positions = starts.astype(np.float32)
        return self.observe()

    def observe(self) -> np.ndarray:
        """Relative positions of the others and the prey, and the own position. [N, O]"""
        predators = self.positions[:-1]
        relative = self.positions[self.others] - predators[:, None]
        relative = relative.reshape(len(predators), -1)
        return np.concatenate([relative, predators], axis=1)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float]:
        """Next observations [N, O] and the reward; actions [N, 2] in [-1, 1]."""
        s = self.settings
        half = s.side / 2
        predators = self.positions[:-1]
        prey = self.positions[-1]
        # A touched prey stays put.
        if not self._touches().any():
            prey = self._run(prey, predators)
        moved = np.clip(predators + s.step * action, -half, half)
        self.positions = np.concatenate([moved, prey[None]])
        return self.observe(), float(self._touches().sum())

    def _run(self, prey: np.ndarray, predators: np.ndarray) -> np.ndarray:
        """The prey's next position: away from the predators and the walls. [2]"""
        half = self.settings.side / 2
        apart = prey - predators
        square = (apart**2).sum(1, keepdims=True)
        push = (apart / np.maximum(square, 1e-8)).sum(0)
        excess = np.maximum(np.abs(prey) - 0.8 * half, 0.0)
        push -= 20.0 * excess * np.sign(prey)
        norm = np.sqrt((push**2).sum())
        if norm > 0:
            push = push / norm
        return np.clip(prey + self.settings.prey_step * push, -half, half)

    def _touches(self) -> np.ndarray:
        apart = self.positions[:-1] - self.positions[-1]
        return (apart**2).sum(1) < self.settings.touch_radius**2


class Replay:
    """A preallocated ring of transitions."""

    def __init__(self, settings: Settings):
        n, size = settings.num_agents, settings.capacity
        self.obs = torch.zeros(size, n, settings.obs_size)
        self.next_obs = torch.zeros(size, n, settings.obs_size)
        self.action = torch.zeros(size, n, 2)
        self.reward = torch.zeros(size)
        self.capacity = size
        self.batch_size = settings.batch_size
        self.added = 0

    def add(self, obs: np.ndarray, action: np.ndarray, reward: np.ndarray) -> None:
        """An episode: observations [T + 1, N, O], actions [T, N, 2], rewards [T]."""
        rows = torch.arange(self.added, self.added + len(reward)) % self.capacity
        self.obs[rows] = torch.from_numpy(obs[:-1])
        self.next_obs[rows] = torch.from_numpy(obs[1:])
        self.action[rows] = torch.from_numpy(action)
        self.reward[rows] = torch.from_numpy(reward)
        self.added += len(reward)

    def sample(self) -> tuple[torch.Tensor, ...]:
        """Observations [N, B, O], actions [N, B, 2], rewards [B], next observations [N, B, O]."""
        rows = torch.randint(min(self.added, self.capacity), (self.batch_size,))
        obs = self.obs[rows].transpose(0, 1)
        action = self.action[rows].transpose(0, 1)
        next_obs = self.next_obs[rows].transpose(0, 1)
        return obs, action, self.reward[rows], next_obs


def act(actors: Weights, obs: torch.Tensor) -> torch.Tensor:
    """All agents' actions. [N, B, O] to [N, B, 2]"""
    x = obs
    *hidden, last_kernel, last_bias = actors
    for kernel, bias in zip(hidden[::2], hidden[1::2], strict=True):
        x = torch.relu(torch.baddbmm(bias[:, None], x, kernel))
    return torch.tanh(torch.baddbmm(last_bias[:, None], x, last_kernel))


def value(critic: Weights, obs: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    """Q of the joint observation and action. [N, B, O], [N, B, 2] to [B]"""
    batch = obs.shape[1]
    joint_obs = obs.transpose(0, 1).reshape(batch, -1)
    joint_action = action.transpose(0, 1).reshape(batch, -1)
    x = torch.cat([joint_obs, joint_action], dim=1)
    *hidden, last_kernel, last_bias = critic
    for kernel, bias in zip(hidden[::2], hidden[1::2], strict=True):
        x = torch.relu(torch.addmm(bias, x, kernel))
    return torch.addmm(last_bias, x, last_kernel)[:, 0]


class Learner:
    """Actors, critic, their targets, and the update."""

    def __init__(self, settings: Settings, actors: Weights, critic: Weights):
        self.settings = settings
        self.actors = [leaf.clone().requires_grad_() for leaf in actors]
        self.critic = [leaf.clone().requires_grad_() for leaf in critic]
        self.target_actors = [leaf.detach().clone() for leaf in actors]
        self.target_critic = [leaf.detach().clone() for leaf in critic]
        self.updates = 0

    def gradients(
        self, obs: Any, action: Any, reward: Any, next_obs: Any
    ) -> tuple[torch.Tensor, Any, Any, Any]:
        """TD loss, its gradient by the critic, J, and its gradient by the actors."""
        with torch.no_grad():
            next_value = value(
                self.target_critic, next_obs, act(self.target_actors, next_obs)
            )
            target = reward + self.settings.discount * next_value
        loss = torch.mean((value(self.critic, obs, action) - target) ** 2)
        critic = torch.autograd.grad(loss, self.critic)
        objective = value(self.critic, obs, act(self.actors, obs)).mean()
        return loss, critic, objective, torch.autograd.grad(objective, self.actors)

    def update(self, batch: tuple[torch.Tensor, ...]) -> None:
        """One step of SGD for the critic and for each actor, then the targets."""
        _, critic, _, actors = self.gradients(*batch)
        with torch.no_grad():
            torch._foreach_add_(self.critic, critic, alpha=-self.settings.critic_rate)
            torch._foreach_add_(self.actors, actors, alpha=self.settings.actor_rate)
            self.updates += 1
            if self.updates % self.settings.target_period == 0:
                torch._foreach_copy_(self.target_actors, self.actors)
                torch._foreach_copy_(self.target_critic, self.critic)


class Run:
    """Training: an episode, then an update."""

    def __init__(self, settings: Settings, seed: int):
        torch.manual_seed(seed)
        self.settings = settings
        self.rng = np.random.default_rng(seed)
        self.world = World(settings, self.rng)
        self.replay = Replay(settings)
        n, h = settings.num_agents, settings.hidden
        actors = [*layer(n, settings.obs_size, h), *layer(n, h, h), *layer(n, h, 2)]
        joint = n * (settings.obs_size + 2)
        critic = [*layer(joint, h), *layer(h, h), *layer(h, 1)]
        self.learner = Learner(settings, actors, critic)
        self.episode = 0

    def play(self) -> None:
        """An episode, into the replay."""
        s = self.settings
        share = min(self.episode / s.exploration_episodes, 1.0)
        epsilon = 1.0 + (s.exploration_end - 1.0) * share
        noise = self.rng.uniform(-1, 1, (s.horizon, s.num_agents, 2))
        noise = noise.astype(np.float32)
        obs = np.empty((s.horizon + 1, s.num_agents, s.obs_size), np.float32)
        actions = np.empty_like(noise)
        rewards = np.empty(s.horizon, np.float32)
        obs[0] = self.world.reset()
        with torch.no_grad():
            for t in range(s.horizon):
                seen = torch.from_numpy(obs[t])[:, None]
                greedy = act(self.learner.actors, seen)[:, 0].numpy()
                actions[t] = (1 - epsilon) * greedy + epsilon * noise[t]
                obs[t + 1], rewards[t] = self.world.step(actions[t])
        self.replay.add(obs, actions, rewards)
        self.episode += 1

    def train(self, episodes: int) -> None:
        """Episodes with an update each."""
        for _ in range(episodes):
            self.play()
            self.learner.update(self.replay.sample())


def layer(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A kernel of this shape and its biases, zero."""
    *agents, _, width = shape
    return glorot(*shape), torch.zeros(*agents, width)


def glorot(*shape: int) -> torch.Tensor:
    """A kernel, Glorot-uniform over the last two dimensions."""
    bound = (6 / (shape[-2] + shape[-1])) ** 0.5
    return torch.empty(shape).uniform_(-bound, bound)


def settings_of(config: Config) -> Settings:
    """What our configuration of predator-prey says, with Table 1's fixed rates."""
    world: Any = config.world
    learning = config.learning
    # Table 1 gives the norm of the actors' rates; equal ones are the norm over the root of N.
    actor_rate = config.rates.actor_budget / world.num_agents**0.5
    return Settings(
        num_agents=world.num_agents,
        horizon=config.horizon,
        side=world.side,
        step=world.step,
        prey_step=world.prey_step,
        touch_radius=world.touch_radius,
        batch_size=learning.batch_size,
        capacity=learning.capacity,
        discount=learning.discount,
        critic_rate=config.rates.critic_rate,
        actor_rate=actor_rate,
        target_period=learning.target_period,
        hidden=config.networks.hidden[0],
        exploration_episodes=config.exploration.episodes,
        exploration_end=config.exploration.end,
    )


def weights_of(params: Mapping[str, Any]) -> Weights:
    """Our network's weights: Flax parameters of an `MLP`."""
    layers = params["params"]["MLP_0"]
    leaves = []
    for index in range(len(layers)):
        dense = layers[f"Dense_{index}"]
        leaves += [dense["kernel"], dense["bias"]]
    return [torch.from_numpy(np.array(leaf)) for leaf in leaves]
