"""The examples of docs/python.md run as printed, from the root of the repository."""

from __future__ import annotations

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.filterwarnings("ignore::aquasim.Warning")
def test_an_example_runs_and_prints(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(example, "docs/python.md", "exec"), {})
    shown = capsys.readouterr().out.splitlines()
    assert shown
    # Comments behind a print are its output.
    stated = re.findall(r"print\(.*\) +# (.*)$", example, re.MULTILINE)
    assert stated == shown[: len(stated)]
