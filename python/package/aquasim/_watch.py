"""Progress and warnings of a call."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple, Union

from ._error import Warning

# Work shorter than this shows no progress, s.
_PATIENCE = 1.0
# Time between two lines of progress, s.
_BETWEEN = 0.25


class Progress(NamedTuple):
    """Progress of a call."""

    work: str
    """Name of the work: simulating, points, pictures."""
    done: int
    """Pieces that are done."""
    of: int | None
    """All pieces; ``None`` if the work has no pieces."""


ProgressOption = Union[bool, None, Callable[[Progress], object]]


class Watch:
    """Receives warnings and progress of the work of one call, some 20 times a second."""

    def __init__(self, progress: ProgressOption) -> None:
        self._show: Callable[[Progress], object] | None
        if progress is None:
            progress = _is_shown()
        self._line = _Line() if progress is True else None
        self._show = self._line or (progress if callable(progress) else None)

    def __call__(self, remarks: list[str], progress: tuple[str, int, int | None] | None) -> None:
        for remark in remarks:
            # From here to the function of the package, and to its caller.
            warnings.warn(remark, Warning, stacklevel=3)
        if progress is not None and self._show is not None:
            self._show(Progress(*progress))

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.clear()


class _Line:
    """A line on standard error that is written over."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._next = self._started + _PATIENCE
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _BETWEEN
        pieces = "" if progress.of is None else f" {progress.done} of {progress.of},"
        self._write(f"{progress.work}:{pieces} {now - self._started:.0f} s")

    def clear(self) -> None:
        if self._width:
            self._write("")

    def _write(self, text: str) -> None:
        print("\r" + text.ljust(self._width), end="" if text else "\r", file=sys.stderr, flush=True)
        self._width = len(text)


def _is_shown() -> bool:
    """True on a terminal and in a notebook."""
    return sys.stderr is not None and (sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel."))
