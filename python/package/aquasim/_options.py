"""Keyword arguments as the options of a command."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from ._results import Mapped

# Several values of these are written with commas between them.
_LISTS = {"weights", "activations", "crop", "precisions"}


@contextmanager
def options(given: Mapping[str, Any], subjects: Sequence[str] = ()) -> Iterator[list[str]]:
    """Words of a command line. ``None`` and ``False`` are options that are not given.

    Files that the words name exist until the context ends.
    """
    with ExitStack() as files:
        words: list[str] = []
        for name, value in given.items():
            option = "--" + name.replace("_", "-")
            if value is None or value is False:
                continue
            if value is True:
                words.append(option)
            elif name == "set":
                words += [f"{option}={key}={toml(changed)}" for key, changed in value.items()]
            elif isinstance(value, Mapped):
                words.append(f"{option}={files.enter_context(file(value.toml, '.toml'))}")
            elif name in _LISTS and not isinstance(value, str):
                words.append(f"{option}={','.join(map(str, value if isinstance(value, Sequence) else [value]))}")
            elif isinstance(value, Sequence) and not isinstance(value, str):
                words += [f"{option}={os.fspath(item)}" for item in value]
            else:
                words.append(f"{option}={value}")
        # Words that are no options come last, whatever they begin with.
        yield [*words, "--", *subjects] if subjects else words


@contextmanager
def file(text: str, suffix: str) -> Iterator[str]:
    """Name of a temporary file with a text."""
    with tempfile.TemporaryDirectory(prefix="aquasim-") as folder:
        path = os.path.join(folder, "value" + suffix)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        yield path


def toml(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(key))} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, (bool, str)):
        # JSON's escapes are TOML's, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, os.PathLike):
        return toml(os.fspath(value))
    # Numbers: repr of NumPy's names their type.
    return str(value)
