"""Words that a terminal or a file system refuses: one printable line each, and nothing on disk."""

import pytest

from adama_jax.cli import main as cli
from adama_jax.cli.text import MOST_LETTERS, check_printable, shortened

LONG = "x" * 5000
WORDS = {
    "a line break": "seeds=1\n2",
    "a carriage return": "seeds=1\r2",
    "an escape": "seeds=\x1b[31m1",
    "a tab": "se\teds=1",
    "a NUL": "out=a\0b",
    "a byte that is no text": "out=a\udcffb",
    "a line separator": "out=a\u2028b",
    "a control character of Latin 1": "out=a\x9bb",
    "a long name": f"out={LONG}",
    "a long name in a path": f"out=a/{LONG}/b",
    "a long path": f"out={'ab/' * 2000}",
    "a long key": f"{LONG}=1",
    "a long number": f"seeds={'9' * 5000}",
    "a long word": LONG,
    "a name with no room for a suffix": "x" * 250,
    "a path of such names": f"out={'x' * 250}",
}
COMMANDS = [
    "{}",
    "train {}",
    "train clustering {}",
    "experiment clustering {}",
    "sweep clustering m=1,2 {}",
    "calibrate clustering {}",
    "resume {}",
    "verify {}",
    "play {}",
    "figures {}",
    "reproduce {}",
    "report {}",
    "scenarios {}",
    "methods {}",
]


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_such_a_word_is_one_printable_line(
    command, word, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = [word if part == "{}" else part for part in command.split()]
    assert cli.main(words) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("adama: error: ") and error.endswith("\n")
    assert error[:-1].isprintable()
    assert len(error) < 2 * MOST_LETTERS + 1000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "word", ["out=Ergebnisse/größer", "out=結果", "out=👩‍🔬 x", "a b"]
)
def test_text_of_any_language_is_taken(word):
    check_printable([word])
    assert shortened(word) == word
