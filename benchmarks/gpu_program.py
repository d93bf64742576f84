"""What an H200 would run for 500 runs of predator-prey, from the program compiled without one.

    JAX_PLATFORMS=cpu JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 python -m benchmarks.gpu_program [runs=500]

XLA compiles for a GPU that is described to it; all it needs is `pip install
"jax-cuda13-plugin[with-cuda]"` of the installed JAX's version (4 GB). Kernels are counted and their
traffic is added up from the shapes in the optimised program, so times are floors by memory and by
arithmetic, plus a guess at what a launch costs. Without a GPU XLA cannot choose between its matrix
kernels by timing them, so a real one may run other kernels. Writes `benchmarks/gpu_program.json`.
"""

import math
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from jax.experimental import topologies

from adama_jax.execution.build import make_env, make_train, stacked_hypers
from adama_jax.storage.provenance import machine
from adama_jax.training.population import population
from benchmarks.gpu import CHUNK, UNROLLS, floors, grid, memory
from benchmarks.reports import write_report
from benchmarks.words import numbers

BANDWIDTH = 4.8e12  # bytes/s
FLOAT32 = 6e13  # operations/s
LAUNCH = 3e-6  # seconds, a guess
H200 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32
  shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 4800000000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
  device_memory_size: 150754820096 shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 }
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 8 } runtime_version { major: 13 }
device_description_str: "NVIDIA H200"
"""
WIDTHS = {"pred": 1, "s8": 1, "u8": 1, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8}
# A branch: the copy of the targets, one episode in twenty, which is not counted.
SELDOM = "not every time"
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

    loop: str
    times: float
    bytes: int


def size(shapes: str, ring: int) -> int:
    """Bytes of the arrays in a piece of HLO; those as large as the rings are left out."""
    total = 0
    for kind, dims in SHAPE.findall(shapes):
        if not dims:
            continue
        count = math.prod(int(dim) for dim in dims.split(","))
        if count < ring:
            total += WIDTHS.get(kind, 0) * count
    return total


def kernels(hlo: str, ring: int) -> list[Kernel]:
    """Every launch of an optimised GPU program: outside fusions, loops by their trip counts.

    Args:
        hlo: the program.
        ring: how many numbers the rings have: a kernel touches a few rows of them. One that copies
            them is not seen here, but in the program's temporaries.
    """
    computations: dict[str, list[Instruction]] = {}
    entry = name = ""
    for line in hlo.splitlines():
        head = HEAD.match(line)
        if head is not None:
            name = head[2]
            entry = name if head[1] else entry
            computations[name] = []
            continue
        found = INSTRUCTION.match(line)
        if name and found is not None:
            computations[name].append(Instruction._make((*found.groups(), line)))
    program = _Program(computations, ring)
    return list(program.launches(entry, 1.0, "once a chunk"))


class Instruction(NamedTuple):
    """A line of HLO: `name = shape kind(arguments...`."""

    name: str
    shape: str
    kind: str
    arguments: str
    line: str


class _Program(NamedTuple):
    computations: dict[str, list[Instruction]]
    ring: int

    def launches(self, name: str, times: float, loop: str) -> Iterator[Kernel]:
        """Those of a computation that runs `times` in a chunk, and of what it calls."""
        for each in self.computations[name]:
            if each.kind == "while":
                trips = int(
                    re.findall(r'known_trip_count":\{"n":"(\d+)"', each.line)[0]
                )
                (body,) = re.findall(r"body=%?([\w.\-]+)", each.line)
                outermost = loop == "once a chunk"
                inner = (
                    "an episode" if outermost else f"a turn of {trips} in an episode"
                )
                yield from self.launches(body, times * trips, inner)
            elif each.kind == "call":
                for called in _called(each.line):
                    yield from self.launches(called, times, loop)
            elif each.kind == "conditional":
                for called in _called(each.line):
                    yield from self.launches(called, times, SELDOM)
            elif each.kind not in NO_KERNELS:
                yield Kernel(loop, times, self._traffic(name, each))

    def _traffic(self, name: str, kernel: Instruction) -> int:
        """Bytes of what a kernel writes and of what it reads."""
        shapes = {each.name: each.shape for each in self.computations[name]}
        # Attributes follow the operands after a closing bracket.
        operands, _, _ = kernel.arguments.partition("), ")
        read = re.findall(r"%([\w.\-]+)", operands)
        moved = [kernel.shape, *(shapes.get(operand, "") for operand in read)]
        return sum(size(each, self.ring) for each in moved)


def _called(line: str) -> list[str]:
    """The computations that a call or a conditional names; XLA writes the latter in two ways."""
    names = re.findall(r"(?:to_apply|calls|_computation)=%?([\w.\-]+)", line)
    if names:
        return names
    (branches,) = re.findall(r"branch_computations=\{([^}]*)\}", line)
    return branches.replace("%", "").split(", ")


def summary(found: list[Kernel], gigaflops: float) -> dict[str, Any]:
    """By loop, and what an episode of all runs would take.

    Floors by memory and by arithmetic, and the launches.
    """
    loops: dict[str, dict[str, float]] = {}
    launches = traffic = 0.0
    for loop in dict.fromkeys(kernel.loop for kernel in found):
        if loop == SELDOM:
            continue
        inside = [kernel for kernel in found if kernel.loop == loop]
        times = inside[0].times
        gigabytes = sum(kernel.bytes for kernel in inside) / 1e9
        loops[loop] = {
            "kernels": len(inside),
            "times a chunk": times,
            "GB each time": gigabytes,
        }
        launches += len(inside) * times / CHUNK
        traffic += gigabytes * times / CHUNK
    return {
        "loops": loops,
        "launches an episode": launches,
        "GB an episode": traffic,
        "ms an episode by memory": 1e12 * traffic / BANDWIDTH,
        "ms an episode by arithmetic": 1e12 * gigaflops / FLOAT32,
        "ms an episode by launches": 1e3 * LAUNCH * launches,
    }


def main(runs: int) -> None:
    topology = topologies.get_topology_desc(
        platform="cuda", target_config=H200, topology="1x1x1"
    )
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
        trainer = make_train(configs[0], unroll, platform="gpu")
        whole = population(trainer, runs, list(topology.devices)[:1])
        shapes = whole.shapes(stacked_hypers(configs))
        program = whole.chunk.lower(shapes, CHUNK).compile()  # pyright: ignore
        launched = kernels(program.as_text(), shapes.replay.rows.size)
        found = summary(launched, least["GFLOP"])
        found["memory"] = memory(program, shapes, runs)
        report["unroll"][str(unroll)] = found
        print(unroll, found, flush=True)
    write_report("gpu_program", report)


if __name__ == "__main__":
    main(**numbers(sys.argv[1:], runs=500))
