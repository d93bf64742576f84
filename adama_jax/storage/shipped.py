"""The trained actors that come with the package: small files, so that there is something to play.

`trained/provenance.json` says how each was trained; `tools/ship_actors.py` trains them anew.
"""

from pathlib import Path

TRAINED = Path(__file__).parent / "trained"
# Today's learner is trained in the same world.
SAME_WORLD = "_modern"


def shipped_actors(scenario: str) -> Path | None:
    """The file of a scenario's trained actors; None: none is shipped.

    >>> shipped_actors("clustering_modern").name, shipped_actors("ant_4x2")
    ('clustering.npz', None)
    """
    path = TRAINED / f"{scenario.removesuffix(SAME_WORLD)}.npz"
    return path if path.is_file() else None


def shipped_names() -> list[str]:
    """The worlds of which trained actors are shipped."""
    return sorted(path.stem for path in TRAINED.glob("*.npz"))
