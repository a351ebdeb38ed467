"""aquasim: a cycle-level simulator of ISAAC and AQuA, accelerators of convolutional networks with memristor crossbars.

>>> import aquasim
>>> run = aquasim.run(network="vgg16", arch="isaac-ce", set={"adc.bits": 6}, images=8)
>>> run.cycles_per_image, run.dynamic_pj_per_image
>>> run.to_pandas("stalls")

``run``, ``map``, ``infer``, ``compare`` and ``sweep`` are the commands of the same names, and return objects with the main
figures as attributes, with ``report`` (everything, as the JSON of the command) and with ``to_pandas()``. Mistakes raise
``Error``. Names of figures end with their unit: ``_pj``, ``_ns``, ``_mw``, ``_cycles``.
"""

from ._calls import compare, infer, map, run, sweep
from ._error import Error, Fault, Warning
from ._results import Answers, Comparison, Mapped, Run, Sweep
from ._watch import Progress

__all__ = [
    "Answers",
    "Comparison",
    "Error",
    "Fault",
    "Mapped",
    "Progress",
    "Run",
    "Sweep",
    "Warning",
    "compare",
    "infer",
    "map",
    "run",
    "sweep",
]
