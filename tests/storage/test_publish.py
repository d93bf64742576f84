"""What `make publish` copies, and that the copies can be read."""

import shutil

import numpy as np

from adama_jax.storage.folder import RunFolder
from adama_jax.storage.publish import main
from adama_jax.storage.reader import load_run
from tests.helpers import fake_run


def names_in(folder):
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


def test_finished_runs_are_published_without_their_rollouts(tmp_path, capsys):
    results, target = tmp_path / "results", tmp_path / "runs"
    runs = [fake_run(results), fake_run(results, "fixed")]
    # Neither what is not finished nor what was replaced.
    other = RunFolder(results / "clustering" / "adama-x")
    shutil.copytree(runs[0].folder, other.partial.path)
    other.partial.meta.unlink()
    shutil.copytree(runs[0].folder, other.old)
    assert main([str(results), str(target)]) == 0
    assert "2 runs copied" in capsys.readouterr().out
    published = ("config.json", "meta.json", "metrics.npz")
    expected = {
        f"{run.folder.relative_to(results)}/{name}"
        for run in runs
        for name in published
    }
    assert names_in(target) == expected
    for run in runs:
        copy = load_run(target / run.folder.relative_to(results))
        assert (
            copy.rollout is None and copy.meta == run.meta and copy.stored == run.stored
        )
        np.testing.assert_array_equal(
            copy.metrics["eval_return"], run.metrics["eval_return"]
        )


def test_a_run_is_published_again_in_the_place_of_its_copy(tmp_path):
    results, target = tmp_path / "results", tmp_path / "runs"
    for finals in ((1.0, 2.0), (3.0, 4.0)):
        run = fake_run(results, finals=finals)
        assert main([str(results), str(target)]) == 0
    copy = load_run(target / run.folder.relative_to(results))
    assert copy.metrics["eval_return"][:, -1].tolist() == [3.0, 4.0]


def test_nothing_to_publish_is_a_line_and_code_1(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "runs")]) == 1
    assert "must be a folder with finished runs" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_folder_at_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fake_run(tmp_path / "results")
    assert main(["~/results", str(tmp_path / "runs")]) == 0


def test_a_run_that_cannot_be_read_or_lies_elsewhere_is_not_published(tmp_path, capsys):
    results, target = tmp_path / "results", tmp_path / "runs"
    methods = ("adama", "fixed", "balance")
    good, bad, linked = (fake_run(results, method).folder for method in methods)
    (bad / "metrics.npz").write_bytes(b"")
    moved = (linked / "config.json").rename(tmp_path / "secret.json")
    (linked / "config.json").symlink_to(moved)
    assert main([str(results), str(target)]) == 1
    said = capsys.readouterr()
    assert "1 run copied" in said.out
    first, second = sorted(said.err.splitlines())
    assert first.startswith(
        f"left out: {linked / 'config.json'}: leads out of {results}"
    )
    assert second.startswith(f"left out: {bad / 'metrics.npz'}: ")
    assert names_in(target) == {
        f"{good.relative_to(results)}/{name}"
        for name in ("config.json", "meta.json", "metrics.npz")
    }
