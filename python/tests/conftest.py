"""Fixtures: the program, whose results the package must give."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
Command = Callable[..., str]


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs the program ``aquasim`` (or ``$AQUASIM``) and returns its standard output."""
    program = os.environ.get("AQUASIM") or shutil.which("aquasim")
    assert program, "the program aquasim is needed: set AQUASIM"

    # As wide as texts of the package.
    environment = os.environ | {"COLUMNS": "120"}

    def run(*words: object) -> str:
        given = [program, *map(str, words)]
        return subprocess.run(given, capture_output=True, text=True, check=True, env=environment).stdout

    return run


@pytest.fixture(scope="session")
def command_json(command: Command) -> Callable[..., dict[str, Any]]:
    """Runs the program and returns the JSON that it writes."""
    return lambda *words: dict(json.loads(command(*words, "--json", "-")))


@pytest.fixture(scope="session")
def digits() -> dict[str, Any]:
    """A network, its weights and 400 pictures, as arguments."""
    folder = ROOT / "examples" / "digits"
    return {"network": folder / "network.toml", "weights_file": folder / "weights.safetensors"}


@pytest.fixture
def pictures(tmp_path: pathlib.Path) -> pathlib.Path:
    """Folder of four pictures and their labels."""
    source = ROOT / "examples" / "digits" / "test"
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        shutil.copy(source / f"{number:03}.png", folder)
    labels = (source / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join(labels[:5]) + "\n")
    return folder
