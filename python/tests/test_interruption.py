"""Long work can be interrupted, says how far it is, and leaves other threads their turn."""

from __future__ import annotations

import os
import pathlib
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import aquasim
import pytest

# Minutes of work.
LONG_RUN: dict[str, Any] = {"images": 10_000, "every_image": True}


class Interrupter:
    """Sends Ctrl-C once, when work has begun."""

    def __init__(self, done: int = 0) -> None:
        self.done = done
        self.sent: float | None = None

    def __call__(self, progress: aquasim.Progress) -> None:
        if self.sent is None and progress.done >= self.done:
            self.sent = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

    def seconds(self) -> float:
        assert self.sent is not None
        return time.monotonic() - self.sent


def test_ctrl_c_ends_a_run_at_once() -> None:
    interrupter = Interrupter()
    with pytest.raises(KeyboardInterrupt):
        aquasim.run(**LONG_RUN, progress=interrupter)
    assert interrupter.seconds() < 5
    # Nothing of it is left: the next run is whole.
    assert aquasim.run(arch="tiny", network="tiny").images == 1


@pytest.mark.parametrize("call", [aquasim.run, lambda **options: aquasim.compare("isaac-ce", "isaac-one-chip", **options)])
def test_an_exception_of_the_progress_function_ends_the_work(call: Callable[..., Any]) -> None:
    def fail(progress: aquasim.Progress) -> None:
        raise RuntimeError(progress.work)

    with pytest.raises(RuntimeError, match="simulating"):
        call(**LONG_RUN, progress=fail)


def test_a_sweep_goes_on_where_it_was_interrupted(tmp_path: pathlib.Path) -> None:
    grid = {"arch.file": "tiny", "network": "tiny", "weights": list(map(str, range(8, 17))), "images": list(range(1, 40))}
    whole = 9 * 39
    interrupter = Interrupter(done=5)
    with pytest.raises(KeyboardInterrupt):
        aquasim.sweep(grid, out=tmp_path / "sweep", progress=interrupter)
    first: list[aquasim.Progress] = []
    sweep = aquasim.sweep(grid, out=tmp_path / "sweep", progress=first.append)
    assert sweep.points == whole and sweep.to_pandas()["status"].eq("done").all()
    assert first[0].work == "points" and 5 <= first[0].done < whole and first[0].of == whole


def test_pictures_are_interrupted_between_two(digits: dict[str, Any]) -> None:
    images = digits["network"].parent / "test"
    interrupter = Interrupter()
    with pytest.raises(KeyboardInterrupt):
        aquasim.infer(**digits, images=images, bit_serial=True, progress=interrupter)
    assert interrupter.seconds() < 10


def test_other_threads_run_meanwhile() -> None:
    ticks = 0
    ended = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not ended.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    started = time.monotonic()
    aquasim.run(fidelity="iteration", progress=False)
    elapsed = time.monotonic() - started
    ended.set()
    thread.join()
    # With the lock held there would be none.
    assert ticks > 20 * elapsed


def test_runs_in_several_threads_are_those_of_one() -> None:
    alone = aquasim.run(arch="tiny", network="tiny").digest
    digests: list[str] = []
    run = lambda: digests.append(aquasim.run(arch="tiny", network="tiny").digest)  # noqa: E731
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == [alone] * 4


def test_progress_is_shown_on_a_line_that_is_cleared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aquasim._watch._PATIENCE", 0.0)
    aquasim.run(arch="tiny", network="tiny", progress=True)
    before, *shown = capsys.readouterr().err.split("\r")
    assert before == "" and shown[0] == "simulating: 0 s"
    assert shown[-2].strip() == "" == shown[-1]
    aquasim.run(arch="tiny", network="tiny", progress=None)
    assert capsys.readouterr().err == "", "standard error is no terminal"
