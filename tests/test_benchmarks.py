"""The benchmarks' bookkeeping: tables are what the JSON says, and the arithmetic is that of the shapes."""

import jax

from adama_jax.compose import make_algorithm, make_env
from adama_jax.config import scenario_config
from adama_jax.settings import config_hash, program_key
from benchmarks.gpu import floors, grid
from benchmarks.programs import update_bytes, update_flops
from benchmarks.tables import PAGE, PLACE, TABLES, filled


def test_the_page_s_tables_are_what_was_measured():
    page = PAGE.read_text()
    assert {found[1] for found in PLACE.finditer(page)} == set(TABLES)
    assert filled(page) == page, "python -m benchmarks.tables writes them"


def test_the_grid_is_500_runs_of_one_program():
    configs = grid(500, 50_000)
    assert len({config_hash(config) for config in configs}) == 500
    assert len({program_key(config) for config in configs}) == 1
    assert {config.seeds for config in configs} == {1} and len({config.seed for config in configs}) == 5


def test_the_arithmetic_of_an_update():
    """Forward is 2 operations a weight and transition; the parameters are those of the networks."""
    config = scenario_config("predator_prey")
    env = make_env(config)
    params = jax.eval_shape(make_algorithm(config, env).init, jax.random.key(0))
    leaves = [leaf for leaf in jax.tree.leaves(params) if leaf.ndim > 1]
    weights = sum(leaf.size for leaf in leaves if leaf.shape[-2:] != (4, 64) and leaf.shape[-2:] != (4, 2))
    forward = 2.0 * 1024 * weights
    assert (
        4 * forward < update_flops(4, 10) < 5 * forward
    )  # targets; critic there and back twice; actors there and back
    least = update_bytes(4, 10, 10)
    assert least - update_bytes(4, 10, 10, batch=0) == 4 * 1024 * (2 * 10 + 4 * 2 + 2)
    assert update_bytes(4, 10, 10, batch=0) == 3 * 4 * sum(leaf.size for leaf in jax.tree.leaves(params))
    assert floors(500, 4, 10, 10)["GFLOP"] == 500 * update_flops(4, 10) / 1e9
