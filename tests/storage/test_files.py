"""Files of plain data: whole or not at all, and proved to be what was written."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adama_jax.errors import DamagedFile
from adama_jax.storage.files import (
    Manifest,
    digest_of_array,
    digest_of_file,
    finite_json,
    make_durable,
    naming,
    read_arrays,
    read_json,
    reading,
    write_arrays,
    write_json,
)

NAN = float("nan")
ZEROS = np.zeros((2, 3), np.float32)


def test_a_json_file_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "meta.json"
    write_json(path, {"seeds": [1, 2], "nested": {"name": "ä"}, "rate": 0.1})
    assert read_json(path) == {"seeds": [1, 2], "nested": {"name": "ä"}, "rate": 0.1}
    assert [each.name for each in tmp_path.iterdir()] == ["meta.json"]


def test_a_json_file_that_cannot_be_written_leaves_the_one_before(
    tmp_path, monkeypatch
):
    path = tmp_path / "meta.json"
    write_json(path, {"seeds": 1})
    with pytest.raises(TypeError):
        write_json(path, {"seeds": object()})
    assert read_json(path) == {"seeds": 1}

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(path, {"seeds": 2})
    assert read_json(path) == {"seeds": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "3",
        "null",
        '"text"',
        '{"a": NaN}',
        '{"a": [-Infinity]}',
        '{"a": 1e999}',
        '{"a": 1, "b": {"c": 1, "c": 2}}',
        '{"a": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"a": ' + 40 * "[" + 40 * "]" + "}",
        '{"a": ' + 900 * '{"a": ' + "1" + 900 * "}" + "}",
        100_000 * '{"a":',
        '{"a": ' + 5000 * "1" + "}",
    ],
    ids=range(16),
)
def test_what_is_no_json_object_is_damaged_and_named(tmp_path, text):
    path = tmp_path / "meta.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFile, match=rf"^{path}: cannot be read: ") as error:
        read_json(path)
    assert "\n" not in str(error.value)


def test_json_as_deep_as_what_is_written_is_read(tmp_path):
    path = tmp_path / "meta.json"
    deep = {"a": {"b": [[[{"c": 1.5}]]]}}
    write_json(path, deep)
    assert read_json(path) == deep


def test_bytes_that_are_no_text_are_damage(tmp_path):
    path = tmp_path / "meta.json"
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(DamagedFile, match=rf"^{path}: cannot be read: "):
        read_json(path)


def test_a_missing_file_is_damage(tmp_path):
    with pytest.raises(
        DamagedFile, match=r"x\.json: cannot be read: No such file or directory"
    ):
        read_json(tmp_path / "x.json")
    with pytest.raises(
        DamagedFile, match=r"x\.npz: cannot be read: No such file or directory"
    ):
        read_arrays(tmp_path / "x.npz")


@pytest.mark.parametrize("compress", [True, False])
def test_arrays_are_read_as_they_were_written(tmp_path, compress):
    arrays = {"a": ZEROS, "b": np.array([1, 2], np.int8), "c": np.array("word")}
    write_arrays(tmp_path / "x.npz", arrays, compress)
    found = read_arrays(tmp_path / "x.npz")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_compressed_arrays_are_smaller(tmp_path):
    for compress in (True, False):
        write_arrays(tmp_path / f"{compress}.npz", {"a": np.zeros(10_000)}, compress)
    small, large = ((tmp_path / f"{each}.npz").stat().st_size for each in (True, False))
    assert small < large / 10


def test_half_a_file_of_arrays_is_damaged(tmp_path):
    path = tmp_path / "x.npz"
    write_arrays(path, {"a": np.arange(1000.0)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DamagedFile, match=rf"^{path}: cannot be read: "):
        read_arrays(path)


def test_json_has_no_numbers_that_are_not_finite():
    value = {"a": (NAN, float("inf"), 1.5), "b": {"c": [-float("inf")]}, "d": 3}
    assert finite_json(value) == {"a": [None, None, 1.5], "b": {"c": [None]}, "d": 3}


def test_what_fails_while_a_file_is_read_is_said_of_the_file(tmp_path):
    words = "x: cannot be read: ZeroDivisionError: "
    with pytest.raises(DamagedFile, match=words), reading(tmp_path / "x"):
        _ = 1 // 0


def test_what_names_its_file_already_is_not_named_twice(tmp_path):
    with (
        pytest.raises(DamagedFile, match=r"^inner: is missing$"),
        reading(tmp_path / "outer"),
    ):
        raise DamagedFile("inner: is missing")


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_no_fault_of_the_file_is_not_said_of_it(tmp_path, error):
    with pytest.raises(error), reading(tmp_path / "x"):
        raise error


def test_a_check_is_told_whose_contents_it_checked(tmp_path):
    with pytest.raises(DamagedFile, match=r"^x: has no digests$"), naming(Path("x")):
        raise DamagedFile("has no digests")
    with pytest.raises(ValueError, match=r"^another$"), naming(Path("x")):
        raise ValueError("another")


def test_what_is_said_of_a_file_is_one_line_whatever_it_holds():
    with pytest.raises(DamagedFile) as error, naming(Path("x")):
        raise DamagedFile("label=a\n\x1b[2J" + 5000 * "b")
    said = str(error.value)
    assert said.startswith(r"x: label=a\n\x1b[2Jb") and len(said) < 400


DIFFERENT = [
    ZEROS.astype(np.float64),
    ZEROS.astype(np.int32),
    ZEROS.reshape(3, 2),
    ZEROS.reshape(6),
    ZEROS + np.float32(1e-45),
    -ZEROS,
    ZEROS[:1],
]


@pytest.mark.parametrize("other", DIFFERENT, ids=range(len(DIFFERENT)))
def test_arrays_that_differ_have_different_digests(other):
    assert digest_of_array(other) != digest_of_array(ZEROS)


def test_a_digest_does_not_depend_on_how_an_array_lies_in_memory():
    array = np.arange(6.0).reshape(2, 3)
    turned = np.asfortranarray(array)
    assert digest_of_array(turned) == digest_of_array(array)
    assert digest_of_array(np.arange(12.0)[::2]) == digest_of_array(
        np.arange(0.0, 12.0, 2)
    )


def test_the_digest_of_a_file_is_sha256_s(tmp_path):
    """The first test vector of FIPS 180-2."""
    (tmp_path / "x").write_text("abc", encoding="utf-8")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_of_file(tmp_path / "x") == expected


def a_manifest(folder):
    """Of two files in a folder."""
    digests = {}
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name, encoding="utf-8")
        digests[name] = digest_of_file(folder / name)
    return Manifest({"seconds": 1.5, "pair": (1, 2), "score": NAN}, digests)


def test_a_manifest_is_read_as_json_has_it(tmp_path):
    written = a_manifest(tmp_path)
    written.write(tmp_path / "meta.json")
    read = Manifest.read(tmp_path / "meta.json")
    assert read.about == {"seconds": 1.5, "pair": [1, 2], "score": None}
    assert read.digests == written.digests
    assert read.damaged_files(tmp_path) == []


@pytest.mark.parametrize("name", ["seconds", "pair", "sha256", "seal", "new"])
def test_nothing_of_a_manifest_can_be_changed_unnoticed(tmp_path, name):
    path = tmp_path / "meta.json"
    a_manifest(tmp_path).write(path)
    path.write_text(
        json.dumps(
            json.loads(path.read_text(encoding="utf-8")) | {name: {"a.txt": "00"}}
        ),
        encoding="utf-8",
    )
    with pytest.raises(
        DamagedFile, match=rf"^{path}: is not what was written \(sha256\)$"
    ):
        Manifest.read(path)


@pytest.mark.parametrize("name", ["seal", "sha256"])
def test_a_manifest_without_digests_proves_nothing(tmp_path, name):
    value = a_manifest(tmp_path).to_json()
    del value[name]
    with pytest.raises(DamagedFile, match="has no digests: nothing can be verified"):
        Manifest.from_json(value)


def test_a_manifest_may_be_written_in_another_order(tmp_path):
    value = a_manifest(tmp_path).to_json()
    turned = dict(reversed(value.items()))
    assert Manifest.from_json(turned) == Manifest.from_json(value)


def test_a_file_that_was_not_written_with_the_others_has_no_digest(tmp_path):
    manifest = a_manifest(tmp_path)
    (tmp_path / "c.txt").write_text("c", encoding="utf-8")
    (line,) = manifest.damaged_files(tmp_path, ["a.txt", "c.txt"])
    assert line.startswith(f"{tmp_path / 'c.txt'}: has no digest")


def test_every_damaged_file_is_named(tmp_path):
    manifest = a_manifest(tmp_path)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("changed", encoding="utf-8")
    words = "is not what was written (sha256)"
    changed = [f"{tmp_path / name}: {words}" for name in ("a.txt", "b.txt")]
    assert manifest.damaged_files(tmp_path) == changed
    (tmp_path / "a.txt").unlink()
    missing = f"{tmp_path / 'a.txt'}: is missing"
    assert manifest.damaged_files(tmp_path) == [missing, changed[1]]


def test_arrays_are_compared_with_a_manifest_to_the_bit():
    manifest = Manifest({}, {"x": digest_of_array(ZEROS)})
    manifest.check_arrays({"x": ZEROS})
    with pytest.raises(DamagedFile, match=r"^leaf x is not what was written"):
        manifest.check_arrays({"x": -ZEROS})
    with pytest.raises(DamagedFile, match=r"^leaf x is missing$"):
        manifest.check_arrays({})
    with pytest.raises(DamagedFile, match=r"^leaf y was never written$"):
        manifest.check_arrays({"x": ZEROS, "y": ZEROS})


def test_a_folder_s_files_are_put_on_the_disk_one_by_one(tmp_path, monkeypatch):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/er/c"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    make_durable(tmp_path)
    assert len(synced) == 3
    make_durable(tmp_path / "a")
    assert len(synced) == 4


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.text(max_size=3), st.floats() | st.text(max_size=3), max_size=3)
)
def test_whatever_is_said_is_sealed_and_read_again(about):
    about.pop("seal", None)
    about.pop("sha256", None)
    manifest = Manifest(about, {"x": "ab"})
    through_a_file = json.loads(json.dumps(manifest.to_json()))
    assert Manifest.from_json(through_a_file) == Manifest(
        finite_json(about), {"x": "ab"}
    )
