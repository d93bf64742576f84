"""Train the actors that come with the package, and write them where it looks for them.

    python tools/ship_actors.py OUT [SCENARIO ...]

OUT is a results folder: what is trained there already is not trained again. Each scenario takes 1
to 4 minutes on 2 cores. Of each the first seed is taken, whatever it earns.
"""

import json
import sys
from pathlib import Path

from adama_jax.cli.commands.train import read_train
from adama_jax.cli.main import main as adama
from adama_jax.reporting.export import export_actors
from adama_jax.storage.files import digest_of_file
from adama_jax.storage.folder import run_folder
from adama_jax.storage.shipped import SAME_WORLD, TRAINED

COMMON = ["method=adama", "seeds=1", "seed=0", "episodes=4000"]
# Of the paper's worlds, today's learner is a preset; JaxMARL's worlds get the same. Left out are
# those in which it learned nothing in so many episodes (simple_tag, simple_crypto), and those of
# which nobody has tried.
MODERN = ["optimizer=adam", "m=auto", "target_period=200", "exploration.episodes=2000"]
PAPER = ("going_together", "cooperative_navigation", "predator_prey", "clustering")
JAXMARL = (
    "MPE_simple_v3",
    "MPE_simple_spread_v3",
    "MPE_simple_adversary_v3",
    "MPE_simple_push_v3",
    "MPE_simple_speaker_listener_v4",
    "MPE_simple_reference_v3",
)
PROVENANCE = TRAINED / "provenance.json"


def words_of(world: str) -> list[str]:
    """The words after `adama train`."""
    if world in PAPER:
        return [f"{world}{SAME_WORLD}", *COMMON]
    return [world, *COMMON, *MODERN]


def ship(world: str, out: Path) -> dict[str, object]:
    """Train a world's actors if need be, and write the file; what is to be said of it."""
    words = words_of(world)
    code = adama(["train", *words, f"out={out}"])
    if code:
        raise SystemExit(code)
    config = read_train(words).config
    target = TRAINED / f"{world}.npz"
    about = export_actors(run_folder(out, config), target, half=True)
    said = ("label", "seed", "episodes", "greedy_return", "finished_at", "git_commit")
    return {
        "command": " ".join(["adama train", *words]),
        **{name: about[name] for name in said},
        "jax": about["versions"]["jax"],
        "sha256": digest_of_file(target),
    }


def main(arguments: list[str]) -> None:
    """Ship the worlds that are named, or all."""
    out, *worlds = arguments
    known = json.loads(PROVENANCE.read_text("utf-8")) if PROVENANCE.is_file() else {}
    TRAINED.mkdir(exist_ok=True)
    for world in worlds or (*PAPER, *JAXMARL):
        known[world] = ship(world, Path(out))
        text = json.dumps(dict(sorted(known.items())), indent=2) + "\n"
        PROVENANCE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
