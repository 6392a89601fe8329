"""Optimal Brain Surgeon: Hassibi & Stork 1992 (NIPS 5), and what became of its claims."""

from pathlib import Path

from oldschool.runs.experiment import Replication

from .artefacts import FIGURES, TABLES
from .estimates import ESTIMATES
from .gaussian import GAUSSIAN
from .gaussian_sensitivity import GAUSSIAN_SENSITIVITY
from .inequality import INEQUALITY
from .monks import MONKS
from .monks_grid import MONKS_GRID
from .nettalk import NETTALK, NETTALK_LARGE
from .nettalk_looks import NETTALK_LOOKS
from .recursion import RECURSION
from .set_ups import SET_UPS
from .settings import (
    GaussianSettings,
    InequalitySettings,
    MonkNetSettings,
    MonksGridSettings,
    MonksSettings,
    NettalkLargeSettings,
    NettalkLooksSettings,
    NettalkNetSettings,
    RecursionSettings,
    XorSettings,
)
from .xor import XOR
from .xor_stop import XOR_STOP
from .xor_structure import XOR_STRUCTURE

REPLICATION = Replication(
    name="obs",
    title="Second order derivatives for network pruning: Optimal Brain Surgeon",
    citation="B. Hassibi and D. G. Stork, NIPS 5 (1992), pp. 164-171",
    folder=Path(__file__).parent,
    schema={
        "xor": XorSettings,
        "monk_nets": MonkNetSettings,
        "monks_grid": MonksGridSettings,
        "monks": MonksSettings,
        "inequality": InequalitySettings,
        "recursion": RecursionSettings,
        "gaussian": GaussianSettings,
        "nettalk": NettalkNetSettings,
        "nettalk_large": NettalkLargeSettings,
        "nettalk_looks": NettalkLooksSettings,
    },
    experiments=(
        RECURSION,
        XOR,
        XOR_STOP,
        XOR_STRUCTURE,
        MONKS_GRID,
        MONKS,
        INEQUALITY,
        GAUSSIAN,
        GAUSSIAN_SENSITIVITY,
        NETTALK,
        NETTALK_LARGE,
        NETTALK_LOOKS,
    ),
    figures=FIGURES,
    tables=TABLES,
    estimates=ESTIMATES,
    set_ups=SET_UPS,
)
