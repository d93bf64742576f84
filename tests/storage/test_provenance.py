"""The commit that a result was computed with."""

import subprocess

from adama_jax.storage.provenance import PACKAGE, git_commit


def git(folder, *words):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_change_anywhere_in_the_package_is_marked(tmp_path):
    package = tmp_path / "package"
    (package / "room").mkdir(parents=True)
    for path in (package / "__init__.py", package / "room" / "a.py"):
        path.write_text("a = 1\n")
    git(tmp_path, "init", "-q")
    # Not yet in the repository, whose commit would say nothing of it.
    assert git_commit(package) is None
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(package) == head
    (tmp_path / "beside.txt").write_text("not of the package")
    assert git_commit(package) == head
    (package / "room" / "a.py").write_text("a = 2\n")
    assert git_commit(package) == head + "+"


def test_the_package_is_all_of_it():
    """Not the room that asks."""
    assert PACKAGE.name == "adama_jax" and (PACKAGE / "rates").is_dir()
