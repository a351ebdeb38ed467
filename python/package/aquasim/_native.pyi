"""Native part: commands as functions. Options are words of a command line."""

from typing import Callable

_Forms = tuple[str, str, list[tuple[str, str]]]
_Watch = Callable[[list[str], tuple[str, int, int | None] | None], None]

def run(options: list[str], watch: _Watch) -> _Forms:
    """JSON, text and CSV tables by name."""

def map(options: list[str], watch: _Watch) -> tuple[_Forms, str, str]:
    """Forms of the result, the mapping file, the floorplan as SVG."""

def infer(options: list[str], watch: _Watch) -> _Forms: ...
def compare(options: list[str], watch: _Watch) -> _Forms: ...
def sweep(
    options: list[str], text: str | None, watch: _Watch
) -> tuple[str, int, tuple[int, str | None], tuple[int, str | None]]:
    """Folder, points, and the number and first text of failures and of warnings."""
