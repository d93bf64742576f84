#!/bin/sh
# The paper's whole grid x 5 seeds of predator-prey on one GPU, in one command of under 10 minutes: see benchmarks/gpu.py.
# Needs jax with CUDA (pip install "jax[cuda13]") beside adama-jax. PYTHON=... chooses another Python.
set -e
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
"$PYTHON" -c 'import jax; print(jax.__version__, jax.devices())'
exec "$PYTHON" -m benchmarks.gpu "$@"
