"""What an H200 would run for 500 runs of predator-prey, from the compiled program, without having one.

    JAX_PLATFORMS=cpu JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 python -m benchmarks.gpu_program [runs]

XLA compiles for a GPU that is described to it; all it needs is `pip install "jax-cuda13-plugin[with-cuda]"` of the
installed JAX's version (4 GB). Kernels are counted and their traffic is added up from the shapes in the optimised
program, so times are floors by memory and by arithmetic, plus a guess at what a launch costs. Without a GPU XLA cannot
choose between its matrix kernels by timing them, so a real one may run other kernels. Writes
`benchmarks/gpu_program.json`.
"""

import math
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from jax.experimental import topologies

from adama_jax.execution.build import make_env, make_hypers, make_train
from adama_jax.storage.provenance import machine
from adama_jax.training.population import population
from benchmarks.gpu import CHUNK, UNROLLS, floors, grid, memory
from benchmarks.reports import write_report

BANDWIDTH, FLOAT32, LAUNCH = 4.8e12, 6e13, 3e-6  # bytes/s, operations/s; seconds, a guess
H200 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128 block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535 block_dim_limit_z: 65535 memory_bandwidth: 4800000000000 l2_cache_size: 52428800
  clock_rate_ghz: 1.98 device_memory_size: 150754820096 shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 } registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 8 } runtime_version { major: 13 }
device_description_str: "NVIDIA H200"
"""
WIDTHS = {"pred": 1, "s8": 1, "u8": 1, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8}
SELDOM = "not every time"  # a branch: the copy of the targets, one episode in twenty, which is not counted
SHAPE = re.compile(r"(\w+)\[([\d,]*)\]")
INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)$")
HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
NO_KERNELS = {
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "after-all",
    "partition-id",
}


class Kernel(NamedTuple):
    """One launch: in which loop, how often in a chunk, and the bytes that it reads and writes."""

    place: str
    times: float
    bytes: int


def size(shapes: str, ring: int) -> int:
    """Bytes of the arrays in a piece of HLO, those left out that have as many numbers as the rings."""
    arrays = (
        (kind, math.prod(map(int, dims.split(",")))) for kind, dims in SHAPE.findall(shapes) if dims
    )
    return sum(WIDTHS.get(kind, 0) * numbers for kind, numbers in arrays if numbers < ring)


def kernels(hlo: str, ring: int) -> list[Kernel]:
    """Every launch of an optimised GPU program: what is not in a fusion, loops by their trip counts.

    Args:
        hlo: the program.
        ring: how many numbers the rings have: a kernel touches a few rows of them. One that copies them is not seen
            here, but in the program's temporaries.
    """
    computations: dict[str, list[tuple[str, ...]]] = {}
    entry = name = ""
    for line in hlo.splitlines():
        if head := HEAD.match(line):
            name = head[2]
            entry = name if head[1] else entry
            computations[name] = []
        elif name and (found := INSTRUCTION.match(line)):
            computations[name].append((*found.groups(), line))
    return list(_launches(computations, entry, 1.0, "once a chunk", ring))


def _launches(
    computations: dict[str, Any], name: str, times: float, place: str, ring: int
) -> Iterator[Kernel]:
    shapes = {instruction[0]: instruction[1] for instruction in computations[name]}
    for _, shape, kind, arguments, line in computations[name]:
        if kind == "while":
            trips = int(re.findall(r'known_trip_count":\{"n":"(\d+)"', line)[0])
            (body,) = re.findall(r"body=%?([\w.\-]+)", line)
            inner = "an episode" if place == "once a chunk" else f"a turn of {trips} in an episode"
            yield from _launches(computations, body, times * trips, inner, ring)
        elif kind in ("call", "conditional"):
            branches = re.findall(r"(?:to_apply|calls|_computation)=%?([\w.\-]+)", line)
            if not branches:
                branches = (
                    re.findall(r"branch_computations=\{([^}]*)\}", line)[0]
                    .replace("%", "")
                    .split(", ")
                )
            for branch in branches:
                yield from _launches(
                    computations, branch, times, place if kind == "call" else SELDOM, ring
                )
        elif kind not in NO_KERNELS:
            operands = re.findall(r"%([\w.\-]+)", arguments.split("), ")[0])
            moved = [shape, *(shapes.get(operand, "") for operand in operands)]
            yield Kernel(place, times, sum(size(each, ring) for each in moved))


def summary(found: list[Kernel], gigaflops: float) -> dict[str, Any]:
    """By place, and what an episode of all runs would take: floors by memory and arithmetic, and the launches."""
    places = {
        place: {
            "kernels": sum(kernel.place == place for kernel in found),
            "times a chunk": next(kernel.times for kernel in found if kernel.place == place),
            "GB each time": sum(kernel.bytes for kernel in found if kernel.place == place) / 1e9,
        }
        for place in dict.fromkeys(kernel.place for kernel in found)
        if place != SELDOM
    }
    launches = sum(place["kernels"] * place["times a chunk"] for place in places.values()) / CHUNK
    traffic = (
        sum(place["GB each time"] * place["times a chunk"] for place in places.values()) / CHUNK
    )
    return {
        "places": places,
        "launches an episode": launches,
        "GB an episode": traffic,
        "ms an episode by memory": 1e12 * traffic / BANDWIDTH,
        "ms an episode by arithmetic": 1e12 * gigaflops / FLOAT32,
        "ms an episode by launches": 1e3 * LAUNCH * launches,
    }


def main(runs: int) -> None:
    topology = topologies.get_topology_desc(platform="cuda", target_config=H200, topology="1x1x1")
    configs = grid(runs, 50_000)
    spec = make_env(configs[0]).spec
    least = floors(runs, spec.num_agents, spec.obs_size, spec.snapshot_size)
    report: dict[str, Any] = {
        "runs": runs,
        "an update of all runs": least,
        "machine": machine(1),
        "unroll": {},
    }
    for unroll in UNROLLS:
        people = population(
            make_train(configs[0], unroll, platform="gpu"), runs, list(topology.devices)[:1]
        )
        shapes = people.shapes(make_hypers(configs))
        program = people.chunk.lower(shapes, CHUNK).compile()  # pyright: ignore[reportFunctionMemberAccess]
        found = summary(kernels(program.as_text(), shapes.replay.rows.size), least["GFLOP"])
        report["unroll"][str(unroll)] = found | {"memory": memory(program, shapes, runs)}
        print(unroll, report["unroll"][str(unroll)], flush=True)
    write_report("gpu_program", report)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
