"""What the environment says to JAX: what decides numbers is fixed, the rest works or is named."""

import ast

import jax
import jax.numpy as jnp
import pytest

from adama_jax.cli.training import start_jax
from adama_jax.config.options import Launch, Training
from adama_jax.errors import SettingError
from adama_jax.execution import jax_setup
from adama_jax.execution.jax_setup import FIXED, check_fixed, local_devices, set_up_jax
from adama_jax.execution.runner import run
from adama_jax.keys import key_of
from adama_jax.storage.provenance import differences, jax_settings
from adama_jax.studies import here
from adama_jax.studies.jobs import Job
from tests.helpers import tiny
from tests.test_architecture import FILES, module_of

OTHER = {
    "jax_default_prng_impl": "rbg",
    "jax_random_seed_offset": 7,
    "jax_threefry_partitionable": False,
    "jax_enable_x64": True,
    "jax_numpy_dtype_promotion": "strict",
    "jax_default_matmul_precision": "bfloat16",
    "jax_disable_jit": True,
    "jax_disable_most_optimizations": True,
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_transfer_guard": "disallow",
    "jax_transfer_guard_host_to_device": "disallow",
    "jax_transfer_guard_device_to_device": "disallow",
    "jax_transfer_guard_device_to_host": "disallow",
}
CHANGED_BESIDE = (
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_platforms",
)


@pytest.fixture(autouse=True)
def as_it_was():
    before = {name: jax.config.values[name] for name in (*FIXED, *CHANGED_BESIDE)}
    # Which the tests' own start has set.
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def about_settings(told):
    """Without what is said of the devices, which these tests made before."""
    return [line for line in told if "JAX was used before" not in line]


def test_each_fixed_setting_is_tried_here():
    assert set(OTHER) == set(FIXED)


@pytest.mark.parametrize("name", FIXED)
def test_what_decides_numbers_is_fixed_and_said_in_a_line(name, tmp_path):
    jax.config.update(name, OTHER[name])
    message = f"{name}={OTHER[name]}: must be {FIXED[name]}"
    with pytest.raises(SettingError, match=message):
        check_fixed()
    # Before anything is on disk.
    with pytest.raises(SettingError, match=message):
        run([tiny()], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    told = []
    set_up_jax(report=told.append)
    (line,) = about_settings(told)
    assert line == (
        f"{name.upper()}={OTHER[name]} is not used: runs are trained with {FIXED[name]}"
    )
    check_fixed()


def test_the_precision_of_products_is_the_environment_s(monkeypatch):
    """Where a person chose it; it is written down with a run, and compared when it resumes."""
    before = jax_settings()
    monkeypatch.setenv("JAX_DEFAULT_MATMUL_PRECISION", "highest")
    jax.config.update("jax_default_matmul_precision", "highest")
    told = []
    set_up_jax(report=told.append)
    assert about_settings(told) == []
    check_fixed()
    now = jax_settings()
    assert now["jax_default_matmul_precision"] == "highest"
    found = differences({"jax_settings": before}, {"jax_settings": now})
    assert found == ["jax_default_matmul_precision None, now highest"]


def test_where_nothing_is_set_nothing_is_said():
    told = []
    set_up_jax(report=told.append)
    assert about_settings(told) == []


def test_a_key_is_of_one_implementation_whatever_is_set():
    expected = jax.random.bits(key_of(3))
    jax.config.update("jax_default_prng_impl", "rbg")
    assert key_of(3).dtype == jax.random.key(3, impl="threefry2x32").dtype
    assert jnp.array_equal(jax.random.bits(key_of(3)), expected)


def makes_a_key(node):
    return isinstance(node, ast.Attribute) and (
        node.attr in ("PRNGKey", "wrap_key_data")
        or ast.unparse(node) == "jax.random.key"
    )


def test_no_key_is_made_without_its_implementation():
    makers = set()
    for path in FILES:
        if any(map(makes_a_key, ast.walk(ast.parse(path.read_text("utf-8"))))):
            makers.add(module_of(path))
    assert makers == {"keys"}


def test_devices_are_as_the_caller_made_them():
    """JAX was used before: its devices are made once."""
    there = len(jax.local_devices())
    set_up_jax(there, report=pytest.fail)
    with pytest.raises(SettingError, match=f"devices={there + 1}: must be {there}, or"):
        set_up_jax(there + 1, report=pytest.fail)


def test_on_other_devices_than_one_a_core_training_says_so(monkeypatch):
    monkeypatch.setattr(jax_setup, "usable_cores", lambda: 1000)
    told = []
    set_up_jax(report=told.append)
    (line,) = told
    assert line == (
        "JAX was used before set_up_jax: what it trains on is "
        f"{len(jax.local_devices())} of the processor's 1000 cores (in a module of your own, such "
        "as a world's, make no jax.numpy array where it is imported)"
    )


@pytest.mark.parametrize("error", [RuntimeError("No such\nplatform"), AssertionError()])
def test_a_platform_that_is_not_there_is_named(monkeypatch, error):
    def fails():
        raise error

    monkeypatch.setattr(jax, "local_devices", fails)
    with pytest.raises(SettingError) as refused:
        local_devices()
    said = str(refused.value)
    assert "JAX_PLATFORMS=" in said and "\n" not in said
    # An assertion says nothing, and neither does its name.
    why = " (RuntimeError: No such)" if str(error) else ""
    assert said.endswith(f"that JAX finds here, such as cpu{why}")


def cache_of(monkeypatch, **environment):
    """Where programs are kept, and what is said, in such an environment."""
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    told = []
    set_up_jax(report=told.append)
    return jax.config.jax_compilation_cache_dir, about_settings(told)


def test_programs_are_kept_in_the_users_cache(monkeypatch, tmp_path):
    found = cache_of(monkeypatch, XDG_CACHE_HOME=tmp_path)
    assert found == (str(tmp_path / "adama-jax" / "xla"), [])


def test_a_cache_that_the_caller_has_set_stays(monkeypatch, tmp_path):
    mine = str(tmp_path / "mine")
    jax.config.update("jax_compilation_cache_dir", mine)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 7.0)
    assert cache_of(monkeypatch, XDG_CACHE_HOME=tmp_path / "x") == (mine, [])
    theirs = tmp_path / "theirs"
    assert cache_of(monkeypatch, JAX_COMPILATION_CACHE_DIR=theirs) == (mine, [])
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 7.0
    # Where nobody said how long.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    cache_of(monkeypatch)
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 0.5


@pytest.mark.parametrize(
    ("launcher", "expected"), [("here", None), ("local", "cpu"), ("slurm", "cpu")]
)
def test_who_only_looks_after_others_takes_no_gpu(monkeypatch, launcher, expected):
    """JAX takes most of a GPU's memory as soon as it is asked for its devices."""
    jax.config.update("jax_platforms", None)
    monkeypatch.setattr(jax_setup, "set_up_jax", lambda *_: None)
    start_jax(None, Launch(launcher))
    assert jax.config.jax_platforms == expected


def test_a_job_on_this_machine_s_cores_takes_no_gpu_unless_told(monkeypatch, tmp_path):
    monkeypatch.setattr(here, "set_up_jax", lambda devices: None)
    monkeypatch.setattr(here, "run", lambda *_, **__: None)
    job = here.Submitted.of(Job("a job", (tiny(),), ("adama",)))
    for named, on_cores, expected in (
        (None, True, "cpu"),
        ("cuda,cpu", True, "cuda,cpu"),
        (None, False, None),
    ):
        jax.config.update("jax_platforms", named)
        here.run_submitted_job(job, tmp_path, Training(), on_cores)
        assert jax.config.jax_platforms == expected


@pytest.mark.parametrize("caches", ["", "relative"])
def test_an_empty_cache_home_is_none(monkeypatch, tmp_path, caches):
    monkeypatch.chdir(tmp_path)
    found = cache_of(monkeypatch, XDG_CACHE_HOME=caches, HOME=tmp_path / "home")
    assert found == (str(tmp_path / "home" / ".cache" / "adama-jax" / "xla"), [])
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_without_a_home_folder_programs_are_not_kept(monkeypatch):
    def fails():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", fails)
    assert cache_of(monkeypatch) == (
        None,
        ["compiled programs are not kept: there is no home folder"],
    )


@pytest.mark.parametrize("name", ["XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR"])
def test_a_cache_that_cannot_be_written_is_named_and_not_used(
    monkeypatch, tmp_path, name
):
    # Not by permissions: root may write anywhere.
    (tmp_path / "file").write_text("", encoding="utf-8")
    folder, (line,) = cache_of(monkeypatch, **{name: tmp_path / "file" / "caches"})
    assert folder is None
    assert line.startswith(f"{tmp_path}/file/caches")
    assert "compiled programs are not kept: NotADirectoryError" in line


def test_a_cache_on_another_machine_is_left_to_jax(monkeypatch):
    _, told = cache_of(monkeypatch, JAX_COMPILATION_CACHE_DIR="gs://bucket/programs")
    assert told == []
