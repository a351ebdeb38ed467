#!/usr/bin/env bash
# Checks the Python package: builds its wheel, installs it in a clean environment, and executes tests and notebooks.
#
#     scripts/check_python.sh target/debug/aquasim
#
# The argument is the program of the same sources, whose results the tests compare. Needs python3 and its packages' index.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
python3 -m venv --clear "$target/wheel"
export PATH=$target/wheel/bin:$PATH
pip install --quiet maturin==1.16.0
# With the tests' optimisation, so that crates which they have built are not built again.
CARGO_PROFILE_DEV_OPT_LEVEL=2 maturin build --quiet --profile dev --manifest-path python/Cargo.toml --out "$target/wheel"
pip install --quiet "$target"/wheel/aquasim-*.whl pandas pyarrow matplotlib mypy pytest ipykernel nbclient
# The wheel is enough by itself, until a table is asked for.
python -I -c "import sys, aquasim; aquasim.run(arch='tiny', network='tiny'); assert 'pandas' not in sys.modules"
cd python
mypy package tests
AQUASIM=$program pytest --quiet
jupyter execute notebooks/*.ipynb
