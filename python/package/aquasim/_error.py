"""The exception of the package."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """A mistake in an argument or a file."""

    message: str
    """The mistake, without its place."""
    remedy: str
    """What to do about it."""
    file: str | None
    """File with the mistake, or ``--set`` for a value of ``set``; ``None`` if no file has a part in it."""
    line: int | None
    """Line in the file, from 1."""
    column: int | None
    """Column in the line, in characters, from 1."""


class Error(Exception):
    """A call that failed. ``str()`` draws all faults with their places, as the command line does.

    The attributes ``message``, ``remedy``, ``file``, ``line`` and ``column`` are those of the first fault. A failure that
    is no mistake of the caller's, such as a full disk, has no faults, and a message alone.
    """

    __module__ = "aquasim"

    faults: list[Fault]
    """All faults, in the order of the text."""
    message: str
    remedy: str | None
    file: str | None
    line: int | None
    column: int | None

    def __init__(self, text: str, faults: list[tuple[str, str, str | None, int | None, int | None]]) -> None:
        super().__init__(text, faults)
        self.faults = [Fault(*fault) for fault in faults]
        first = self.faults[0] if faults else Fault(text, "", None, None, None)
        self.message, remedy, self.file, self.line, self.column = first
        self.remedy = remedy or None

    def __str__(self) -> str:
        text: str = self.args[0]
        return text


class Warning(UserWarning):
    """A remark on a machine, on weights or on pictures. Python's module ``warnings`` filters it."""

    __module__ = "aquasim"
