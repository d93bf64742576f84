#!/bin/sh
# Rebuilds adama_jax/viewer/brax_viewer.min.js and LICENSES.txt: PYTHON=.venv/bin/python tools/viewer/build.sh
# Needs Node 18 or newer, npm, and a Python with Brax; the same versions give the same bytes.
set -eu
python=$(command -v "${PYTHON:-python}")
case $python in /*) ;; *) python=$PWD/$python ;; esac
cd "$(dirname "$0")"
npm ci --no-audit --no-fund
brax=$("$python" -c 'from importlib.util import find_spec as f; print(f("brax").submodule_search_locations[0])')
licence=$("$python" -c 'from importlib.metadata import files as f
print(*[p.locate() for p in f("brax") if p.name == "LICENSE"])')
version=$("$python" -c 'from importlib.metadata import version as v; print(v("brax"))')
node build.mjs "$brax" "$licence" "$version"
