"""Mistakes are exceptions, all at once, with their places and remedies."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import aquasim
import pytest


def error(**arguments: Any) -> aquasim.Error:
    with pytest.raises(aquasim.Error) as raised:
        aquasim.run(**arguments)
    return raised.value


def test_faults_of_a_file_come_together_with_line_column_and_remedy(tmp_path: pathlib.Path) -> None:
    machine = tmp_path / "machine.toml"
    machine.write_text('extends = "isaac-ce"\nname = "mine"\n\n[adc]\nbits = "six"\nspeed = 3\n')
    raised = error(arch=machine)
    assert [(fault.file, fault.line, fault.column) for fault in raised.faults] == [(str(machine), 5, 8), (str(machine), 6, 1)]
    assert (raised.file, raised.line, raised.column) == (str(machine), 5, 8)
    assert raised.message == 'adc.bits must be a whole number from 1 to 32, not the text "six"'
    assert raised.remedy == raised.faults[0].remedy and "write a number without a unit" in raised.faults[0].remedy
    assert raised.faults[1].message == "unknown key adc.speed"


def test_an_error_reads_as_on_the_command_line(
    command: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    machine = tmp_path / "machine.toml"
    machine.write_text('extends = "isaac-ce"\nname = "mine"\nadc.bits = 0\n')
    with pytest.raises(subprocess.CalledProcessError) as refused:
        command("run", "--arch", machine)
    assert refused.value.stderr == f"{error(arch=machine)}\n"


def test_changes_are_named_by_their_argument() -> None:
    raised = error(set={"adc.bit": 6})
    assert (raised.file, raised.line, raised.column) == ("--set", 1, 5)
    assert raised.remedy == "did you mean bits?"


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        ({"images": 0}, "--images cannot be 0", "give a whole number from 1 to 10000, or auto"),
        ({"fidelity": "exact"}, '--fidelity cannot be "exact"', "give one of operation, iteration"),
        ({"weights": 8, "plan": "p.toml"}, "--weights and --plan cannot be given together", "leave one of them out"),
        ({"calibrate": 3}, "--weights-file is missing", "give it"),
        ({"arch": "isac-ce"}, "there is no preset or file called isac-ce", "did you mean isaac-ce?"),
        ({"network": "vgg16", "arch": "tiny"}, "tiny has", ""),
    ],
)
def test_mistakes_in_arguments_have_no_place(arguments: dict[str, Any], message: str, remedy: str) -> None:
    raised = error(**arguments)
    assert message in raised.message and remedy in (raised.remedy or "")
    assert (raised.file, raised.line, raised.column) == (None, None, None)


def test_a_missing_subject_is_an_error() -> None:
    with pytest.raises(aquasim.Error, match="PRESET"):
        aquasim.compare()


def test_remarks_on_a_machine_are_warnings_at_the_call() -> None:
    with pytest.warns(aquasim.Warning, match="cannot hold a 32-row sum") as warned:
        aquasim.run(arch="tiny", network="tiny", set={"adc.bits": 5})
    assert [warning.filename for warning in warned] == [__file__]
    with pytest.raises(aquasim.Warning):
        # A warning that is made an error, as this test suite does, stops the work.
        aquasim.run(arch="tiny", network="tiny", set={"adc.bits": 5}, images=10_000)
