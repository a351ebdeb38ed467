"""Points of a sweep, for the scripts that plot them."""

import pathlib
import sys

import pandas as pd


def refuse(message: str, remedy: str) -> None:
    """Ends the program: it draws all of what was asked for or nothing."""
    sys.exit(f"error: {message}\nhelp: {remedy}")


def read(folder: pathlib.Path, columns: list[str]) -> pd.DataFrame:
    """The points of the sweep in `folder`, all of which are done and have a value in each of `columns`."""
    path = folder / "points.parquet"
    if not path.is_file():
        refuse(f"{path} is missing", "give the folder of a sweep that has ended")
    points = pd.read_parquet(path)
    missing = [column for column in columns if column not in points]
    if missing:
        refuse(f"{path} has no column {', '.join(missing)}", "sweep what the head of this script says")
    failed = points.loc[points["status"] != "done", "point"]
    if len(failed):
        refuse(f"points {listed(failed)} of {path} are not done", "see their error in points.csv, or leave them out")
    for column in columns:
        unknown = points.loc[points[column].isna(), "point"]
        if len(unknown):
            refuse(f"points {listed(unknown)} of {path} have no {column}", "sweep them so that they have one (more images), or leave them out")
    return points


def one_each(points: pd.DataFrame, keys: list[str]) -> None:
    """Refuses points that differ in something else than `keys`: a plot of these would have to choose."""
    twice = points[points.duplicated(keys, keep=False)]
    if len(twice):
        which = twice.groupby(keys, sort=False)["point"].first().index[0]
        refuse(f"several points have {named(keys, which)}", f"sweep nothing but {' and '.join(keys)}")


def named(keys: list[str], values: tuple) -> str:
    return ", ".join(f"{key} {value}" for key, value in zip(keys, values))


def listed(values) -> str:
    """The first few."""
    values = [str(value) for value in values]
    return ", ".join(values[:5]) + (f" and {len(values) - 5} more" if len(values) > 5 else "")
