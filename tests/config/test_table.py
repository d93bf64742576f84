"""The page of all settings is what the declarations say."""

from pathlib import Path

from adama_jax.bounds import Between
from adama_jax.config.methods import CONSTANT, METHODS, Method, Own
from adama_jax.config.names import all_settings
from adama_jax.config.schema import scenario_config
from adama_jax.config.table import settings_page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_is_written_anew_with_every_setting():
    """If not: `make settings`."""
    assert PAGE.read_text(encoding="utf-8") == settings_page()


def test_every_setting_has_a_line_that_explains_it():
    page = settings_page()
    for scenario in ("predator_prey", "MPE_simple_v3", "ant_4x2"):
        for name, _ in all_settings(scenario_config(scenario)):
            lines = [
                line for line in page.splitlines() if line.startswith(f"| `{name}` |")
            ]
            assert lines, name
            # Of worlds of several kinds each has its own line.
            assert all(len(line.split("|")[-2].strip()) > 3 for line in lines), name


def test_a_number_of_a_rule_s_own_is_on_the_page(monkeypatch):
    own = (Own("warmth", 0.5, Between(0, 1), symbol="w", help="How warm it is."),)
    method = Method(
        "sgd", "adama_jax.rates.rules:fixed", CONSTANT, "warm", "a test", own
    )
    monkeypatch.setitem(METHODS, "warm", method)
    cells = (
        "`rates.warmth`",
        "`w`",
        "`0.5`",
        "at least 0 and at most 1",
        "yes",
        "warm",
    )
    line = "| " + " | ".join([*cells, "How warm it is."]) + " |"
    assert line in settings_page()
