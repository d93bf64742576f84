"""Which runs are trained: those that are not on disk, once each; with force, all."""

import io

import pytest

from adama_jax.config.labels import labels
from adama_jax.config.names import with_settings
from adama_jax.config.options import Launch, Training
from adama_jax.errors import OtherSettings, RunBusy
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.lock import Lock
from adama_jax.studies import missing
from adama_jax.studies.jobs import Failure, Job, jobs
from adama_jax.studies.submitted import _was_killed, _without_finished
from tests.helpers import fake_config, fake_run

CONFIGS = [fake_config(method) for method in ("adama", "fixed")]


@pytest.fixture
def launched(monkeypatch):
    """The jobs that would have been run."""
    found = []

    def launch(jobs, out, options, console, training):
        found.extend(jobs)
        return [Failure(job, "out of luck") for job in jobs]

    monkeypatch.setattr(missing, "launch", launch)
    return found


def complete(out, configs=CONFIGS, **options):
    """The failures, and what is printed."""
    text = io.StringIO()
    console = Screen(file=text, width=200)
    failures = missing.complete(configs, out, Training(**options), Launch(), console)
    return failures, text.getvalue()


def test_what_is_not_on_disk_is_trained(tmp_path, launched):
    run = fake_run(tmp_path, "adama")
    failures, text = complete(tmp_path)
    assert [job.configs for job in launched] == [(CONFIGS[1],)]
    assert [failure.why for failure in failures] == ["out of luck"]
    assert f"adama: finished already, {run.folder} (force=true runs it again)" in text
    assert "fixed: finished" not in text


def test_by_force_everything_is_trained(tmp_path, launched):
    fake_run(tmp_path, "adama")
    _, text = complete(tmp_path, force=True)
    assert {config for job in launched for config in job.configs} == set(CONFIGS)
    assert text == ""


def test_nothing_is_trained_twice(tmp_path, launched):
    for method in ("adama", "fixed"):
        fake_run(tmp_path, method)
    failures, _ = complete(tmp_path)
    assert launched == failures == []


def test_a_run_that_is_whole_but_for_its_name_gets_it(tmp_path, launched):
    folder = RunFolder(fake_run(tmp_path, "adama").folder)
    folder.path.rename(folder.partial.path)
    complete(tmp_path, CONFIGS[:1])
    assert launched == [] and folder.is_finished()


def test_a_run_that_somebody_trains_stops_all_before_anything_begins(
    tmp_path, launched
):
    lock = Lock(RunFolder.of(tmp_path, CONFIGS[1]).lock)
    with pytest.raises(RunBusy, match="is being trained by process"):
        complete(tmp_path)
    lock.release()
    assert launched == []


@pytest.mark.parametrize("folder", ["finished", "begun"])
def test_settings_that_cannot_be_read_cost_their_run_alone(tmp_path, launched, folder):
    run = RunFolder(fake_run(tmp_path, "adama").folder)
    if folder == "begun":
        run.path.rename(run.partial.path)
        run.partial.meta.unlink()
    run.current.config.write_text("{", encoding="utf-8")
    _, text = complete(tmp_path)
    assert [job.configs for job in launched] == [(CONFIGS[1],)]
    (line,) = text.splitlines()
    assert line.startswith(f"adama: left out: {run.current.path}: must be moved away")
    assert line.endswith("(force=true trains it again)")


def test_where_no_run_can_be_trained_nothing_begins(tmp_path, launched):
    for method in ("adama", "fixed"):
        (fake_run(tmp_path, method).folder / "config.json").write_bytes(b"{")
    with pytest.raises(OtherSettings, match="must be moved away or trained again"):
        complete(tmp_path)
    assert launched == []
    complete(tmp_path, force=True)
    assert {config for job in launched for config in job.configs} == set(CONFIGS)


def test_many_finished_runs_are_counted_and_not_listed(tmp_path, launched):
    configs = [
        with_settings(CONFIGS[0], {"rates.clip": each / 100}) for each in range(10, 20)
    ]
    for config in configs[:9]:
        fake_run(tmp_path, config=config)
    _, text = complete(tmp_path, configs)
    assert text == "9 runs are finished already, 1 are to be trained.\n"
    assert [job.configs for job in launched] == [(configs[9],)]


def test_of_a_killed_job_what_it_finished_is_not_trained_again(tmp_path):
    fake_run(tmp_path, "adama")
    job = Job("a job", tuple(CONFIGS), ("adama", "fixed"))
    begun = RunFolder.of(tmp_path, CONFIGS[0]).final.meta.stat().st_mtime
    left = _without_finished(job, tmp_path, begun - 1)
    assert (left.name, left.configs, left.labels) == (
        "a job",
        (CONFIGS[1],),
        ("fixed",),
    )
    # Finished before the job began: it is being trained again, by force.
    assert _without_finished(job, tmp_path, begun + 1) == job


def test_which_ends_are_kills():
    """A job that failed says so itself, and would fail again."""
    from submitit.core.utils import FailedJobError, UncompletedJobError

    class Ended:
        def __init__(self, error):
            self.exception = lambda: error

    assert _was_killed(Ended(UncompletedJobError("no output")))
    assert not _was_killed(Ended(FailedJobError("its traceback")))
    assert not _was_killed(Ended(None))


def test_jobs_have_all_configurations_once_and_their_own_names():
    base = fake_config("fixed")
    configs = [
        with_settings(base, {"rates.critic_rate": rate / 1000}) for rate in range(1, 8)
    ]
    names = labels(configs)
    for parts in (1, 2, 3, 7, 9):
        found = jobs(configs, names, parts)
        assert len(found) == min(parts, 7) or parts == 3
        pairs = [
            pair for job in found for pair in zip(job.configs, job.labels, strict=True)
        ]
        assert sorted(pairs, key=lambda pair: pair[1]) == list(
            zip(configs, names, strict=True)
        )
    assert [len(job.configs) for job in jobs(configs, names, 3)] == [3, 3, 1]
    assert jobs(configs[:1], ["it"])[0].name == "going_together: it"
    assert jobs(configs, names)[0].name == "going_together: fixed, 7 settings"


def test_labels_compare_runs_of_one_scenario_and_method():
    base = fake_config("adama")
    other = with_settings(base, {"rates.clip": 0.2, "seeds": 9})
    fixed = fake_config("fixed", seeds=3)
    found = labels([base, other, fixed])
    assert found == ["adama seeds=5 eps=0.1", "adama seeds=9 eps=0.2", "fixed"]
    assert labels([base]) == ["adama"]
