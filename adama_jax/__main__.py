"""`python -m adama_jax` is `adama`."""

import sys

from adama_jax.cli.main import main

sys.exit(main())
