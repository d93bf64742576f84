"""On what a result was computed: the processor, the devices, the commit."""

import json
import subprocess
from types import SimpleNamespace

import jax
import pytest

from adama_jax.execution.jax_setup import FIXED
from adama_jax.storage import provenance
from adama_jax.storage.provenance import PACKAGE, differences, git_commit


def git(folder, *words):
    command = [
        "git",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-C",
        str(folder),
        *words,
    ]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout.strip()


def test_a_change_anywhere_in_the_package_is_marked(tmp_path):
    package = tmp_path / "package"
    (package / "room").mkdir(parents=True)
    for path in (package / "__init__.py", package / "room" / "a.py"):
        path.write_text("a = 1\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    # Not yet in the repository, whose commit would say nothing of it.
    assert git_commit(package) is None
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(package) == head
    (tmp_path / "beside.txt").write_text("not of the package", encoding="utf-8")
    assert git_commit(package) == head
    (package / "room" / "a.py").write_text("a = 2\n", encoding="utf-8")
    assert git_commit(package) == head + "+"


def test_the_package_is_all_of_it():
    """Not the room that asks."""
    assert PACKAGE.name == "adama_jax" and (PACKAGE / "rates").is_dir()


CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Xeon (R) at 2 GHz
model\t\t: 143

processor\t: 1
model name\t: Xeon (R) at 2 GHz
"""


def printed(words="", fails=None):
    """A `subprocess.run` that prints, or fails."""

    def run(command, **options):
        if fails is not None:
            raise fails
        return SimpleNamespace(stdout=words)

    return run


def test_a_processor_has_the_name_that_linux_gives_it(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(CPUINFO, encoding="utf-8")
    monkeypatch.setattr(provenance, "CPUS", tmp_path / "cpuinfo")
    assert provenance.processor() == "Xeon (R) at 2 GHz"


@pytest.mark.parametrize("text", [None, "processor : 0\nFeatures : fp\n"])
def test_elsewhere_it_is_asked_for(tmp_path, monkeypatch, text):
    """On macOS there is no such file; on ARM there is no name in it."""
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")
    monkeypatch.setattr(provenance, "CPUS", tmp_path / "cpuinfo")
    monkeypatch.setattr(subprocess, "run", printed("Apple M3\n"))
    assert provenance.processor() == "Apple M3"


def test_a_processor_without_a_name_is_of_a_family(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "CPUS", tmp_path / "cpuinfo")
    monkeypatch.setattr(subprocess, "run", printed(fails=FileNotFoundError()))
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert provenance.processor() == "aarch64"


@pytest.mark.parametrize(
    "error", [FileNotFoundError(), subprocess.CalledProcessError(128, "git")]
)
def test_outside_a_checkout_there_is_no_commit(monkeypatch, error):
    monkeypatch.setattr(subprocess, "run", printed(fails=error))
    assert provenance.git_commit() is None


def test_the_devices_that_were_used_are_counted():
    count = len(jax.local_devices())
    assert provenance.machine()["device"]["used"] == count
    found = provenance.machine(used=1)
    assert (found["device"]["used"], found["device"]["count"]) == (1, count)
    assert found["versions"]["jax"] == jax.__version__
    assert {"adama-jax", "numpy", "python"} <= set(found["versions"])


def test_a_package_without_metadata_trains_as_well(monkeypatch):
    """A copy of the files on the path, or metadata that somebody deleted."""
    monkeypatch.setattr(provenance, "PACKAGES", ("jax", "no-such-package"))
    versions = provenance.machine()["versions"]
    assert versions["no-such-package"] == "not installed"
    assert versions["jax"] == jax.__version__


def test_what_xla_reads_from_the_environment_is_written_down(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    before = provenance.machine()
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    now = provenance.machine()
    assert json.loads(json.dumps(now)) == now
    assert differences(before, now) == [
        "XLA_FLAGS none, now --xla_cpu_enable_fast_math=true"
    ]
    assert differences(now, now) == []


def test_every_setting_of_jax_that_is_fixed_is_written_down():
    numbers = {name for name in FIXED if "guard" not in name}
    assert numbers < set(provenance.JAX_SETTINGS)
    assert set(FIXED) <= set(jax.config.values)
    # None is misspelt; two are new in this version of JAX.
    if jax.__version_info__ >= (0, 10, 2):
        assert set(provenance.JAX_SETTINGS) <= set(jax.config.values)


def test_a_machine_is_compared_by_what_can_change_a_number():
    here = provenance.machine()
    other = here | {
        "processor": "another",
        "device": here["device"] | {"kind": "H200", "count": 99},
        "git_commit": "a" * 40 + "+",
        "jax_settings": here["jax_settings"] | {"jax_enable_x64": True},
    }
    names = [line.split()[0] for line in differences(here, other)]
    assert sorted(names) == ["commit", "jax_enable_x64", "kind", "processor"]
    # What another version did not write down.
    assert differences({}, {}) == []
