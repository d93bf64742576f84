"""A sweep over a world's options is one program."""

import jax
import pytest

from adama_jax.execution.runner import run
from tests.helpers import tiny


@pytest.fixture
def compiled():
    """The seconds of each compilation by XLA from now on."""
    found = []

    def listen(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.unregister_event_duration_listener(listen)


def test_a_grid_over_worlds_compiles_once(compiled, tmp_path):
    """As often as a grid over rates does; the numbers of both differ in each of three runs."""
    counts = {}
    for name in ("rates.critic_rate", "world.side"):
        values = [0.01, 0.02, 0.03]
        configs = [tiny(episodes=20, **{name: value}) for value in values]
        jax.clear_caches()
        compiled.clear()
        run(configs, tmp_path / name, devices=jax.devices()[:1])
        counts[name] = len(compiled)
    assert len(set(counts.values())) == 1
    assert counts["world.side"] > 0
    # A world that observes more is another program.
    seeing = [tiny(episodes=20), tiny(episodes=20, **{"world.observe_own": True})]
    with pytest.raises(ValueError, match="one program"):
        run(seeing, tmp_path / "two", devices=jax.devices()[:1])
