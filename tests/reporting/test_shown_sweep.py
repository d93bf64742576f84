"""What a sweep says at its end."""

import pytest

from adama_jax.config.names import with_settings
from adama_jax.reporting import present
from adama_jax.screen.console import Screen
from tests.helpers import fake_config, fake_run


@pytest.mark.parametrize("side", [2.0, 3.0])
def test_a_sweep_over_worlds_is_said_to_be_no_ranking(tmp_path, capsys, side):
    base = fake_config("fixed", 2)
    other = with_settings(fake_config("balance", 2), {"world.side": side})
    runs = [
        fake_run(tmp_path, config=config, finals=(1, 2)) for config in (base, other)
    ]
    present.show_sweep(runs, tmp_path, "sweep", Screen())
    said = " ".join(capsys.readouterr().out.split())
    is_other = side != base.world.side
    assert ("Returns of different worlds are not comparable" in said) == is_other
