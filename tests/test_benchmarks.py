"""The benchmarks' bookkeeping: tables are what the JSON says, arithmetic is that of the shapes."""

import importlib.util
import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from adama_jax.config.identity import config_hash, program_key
from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_algorithm, make_env
from benchmarks.gpu import floors, grid
from benchmarks.gpu_program import SELDOM, kernels, summary
from benchmarks.operations import CONTINUOUS, of_an_update, operations
from benchmarks.programs import update_bytes, update_flops
from benchmarks.tables import MARKED, PAGE, TABLES, filled

DOCS = PAGE.parent


def test_the_page_s_tables_are_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert {found[1] for found in MARKED.finditer(page)} == set(TABLES)
    assert filled(page) == page, "python -m benchmarks.tables writes them"


def test_the_grid_is_500_runs_of_one_program():
    configs = grid(500, 50_000)
    assert len({config_hash(config) for config in configs}) == 500
    assert len({program_key(config) for config in configs}) == 1
    assert {config.seeds for config in configs} == {1}
    assert len({config.seed for config in configs}) == 5


def test_the_arithmetic_of_an_update():
    """Forward is 2 operations a weight and transition; the parameters are those of the networks."""
    config = scenario_config("predator_prey")
    env = make_env(config)
    params = jax.eval_shape(make_algorithm(config, env).init, jax.random.key(0))
    leaves = jax.tree.leaves(params)
    # Biases of the four agents are matrices too.
    biases = ((4, 64), (4, 2))
    kernels = [
        leaf for leaf in leaves if leaf.ndim > 1 and leaf.shape[-2:] not in biases
    ]
    forward = 2.0 * 1024 * sum(leaf.size for leaf in kernels)
    # The targets; the critic there and back twice; the actors there and back.
    assert 4 * forward < update_flops(4, 10) < 5 * forward

    without_batch = update_bytes(4, 10, 10, batch=0)
    of_batch = update_bytes(4, 10, 10) - without_batch
    assert of_batch == 4 * 1024 * (2 * 10 + 4 * 2 + 2)
    assert without_batch == 3 * 4 * sum(leaf.size for leaf in leaves)
    assert floors(500, 4, 10, 10)["GFLOP"] == 500 * update_flops(4, 10) / 1e9


def test_operations_are_counted_as_often_as_they_run():
    square = jnp.ones((3, 3))

    def thrice(x):
        def body(carry, _):
            return carry @ square, None

        last, _ = jax.lax.scan(body, x, length=3)
        return last

    def now_and_then(x):
        return jax.lax.cond(x[0, 0] > 0, thrice, lambda x: x, x)

    def unknown(x):
        return jax.lax.while_loop(lambda x: x[0, 0] < 9, lambda x: x @ square, x)

    one = 2 * 3**3
    assert operations(thrice, square) == 3 * one
    assert operations(jax.jit(now_and_then), square) == 1.5 * one
    with pytest.raises(ValueError, match="while loop"):
        operations(unknown, square)


@pytest.mark.slow
def test_what_an_update_of_each_algorithm_costs_is_what_the_page_says():
    page = (DOCS / "reference" / "algorithms.md").read_text(encoding="utf-8")
    maddpg = of_an_update("maddpg")
    # Two ways to the same number: by the layers' shapes, and by the program.
    assert maddpg == pytest.approx(update_flops(4, 10), rel=1e-3)
    costs = [f"{of_an_update(name) / maddpg:.2f}" for name in CONTINUOUS]
    table = "\n".join(
        [
            f"| {' | '.join(f'`{name}`' for name in CONTINUOUS)} |",
            "|" + "---|" * len(CONTINUOUS),
            f"| {' | '.join(costs)} |",
        ]
    )
    assert table in page, "python -m benchmarks.operations counts them"


PROGRAM = """
%fused (param: f32[500,4]) -> f32[500,4] {
  %param = f32[500,4]{1,0} parameter(0)
  ROOT %doubled = f32[500,4]{1,0} add(%param, %param)
}

%body (state: (s32[], f32[500,4])) -> (s32[], f32[500,4]) {
  %state = (s32[], f32[500,4]{1,0}) parameter(0)
  %x = f32[500,4]{1,0} get-tuple-element(%state), index=1
  %y = f32[500,4]{1,0} fusion(%x), kind=kLoop, calls=%fused
  %either = f32[500,4]{1,0} conditional(%new, %y, %x), branch_computations={%copied, %kept}
  ROOT %next = (s32[], f32[500,4]{1,0}) tuple(%n, %y)
}

%copied (x.2: f32[500,4]) -> f32[500,4] {
  %x.2 = f32[500,4]{1,0} parameter(0)
  ROOT %copy = f32[500,4]{1,0} copy(%x.2)
}

%kept (x.3: f32[500,4]) -> f32[500,4] {
  ROOT %x.3 = f32[500,4]{1,0} parameter(0)
}

ENTRY %main (x: f32[500,4], ring: f32[2000000000]) -> f32[500,4] {
  %x.1 = f32[500,4]{1,0} parameter(0)
  %ring = f32[2000000000]{0} parameter(1)
  %row = f32[500,4]{1,0} fusion(%ring), kind=kLoop, calls=%fused
  %start = (s32[], f32[500,4]{1,0}) tuple(%zero, %row)
  %loop = (s32[], f32[500,4]{1,0}) while(%start), condition=%more, body=%body, \
backend_config={"known_trip_count":{"n":"100"}}
  ROOT %end = f32[500,4]{1,0} get-tuple-element(%loop), index=1
}
"""


def test_launches_and_traffic_are_counted_from_the_program():
    """Of the kernel that reads a ring only its output counts; one is in a loop, one in a branch."""
    row = 4 * 500 * 4
    moved = [("an episode", 100.0, 2 * row), (SELDOM, 100.0, 2 * row)]
    assert kernels(PROGRAM, ring=2_000_000_000) == [("once a chunk", 1.0, row), *moved]
    loops = summary(kernels(PROGRAM, ring=10**12), gigaflops=0.0)["loops"]
    gigabytes = {name: round(loop["GB each time"], 3) for name, loop in loops.items()}
    assert gigabytes == {"once a chunk": 8.0, "an episode": 0.0}


@pytest.mark.slow
@pytest.mark.skipif(
    not importlib.util.find_spec("jax_cuda13_plugin"),
    reason="needs jax-cuda13-plugin[with-cuda]",
)
def test_a_gpu_copies_no_ring():
    """Once XLA transposed the rings around a chunk: twice the memory, 160 GB moved a chunk."""
    code = """
import benchmarks.gpu_program as it
it.UNROLLS = (1,)
it.write_report = lambda *_: None
it.main(20)
"""
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        encoding="utf-8",
    )
    memory = json.loads(done.stdout.partition(" ")[2].replace("'", '"'))["memory"]
    assert memory["temporaries, GiB"] < 0.1 * memory["replay, GiB"]
