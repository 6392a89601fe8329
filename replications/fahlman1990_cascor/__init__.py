"""Cascade-Correlation: Fahlman & Lebiere 1990, and what became of its claims."""

from pathlib import Path

from oldschool.runs.experiment import Replication

from .artefacts import FIGURES, TABLES
from .estimates import ESTIMATES
from .evolution import EVOLUTION
from .parity import PARITY, PARITY10
from .rivals import RIVAL_RATES, RIVALS
from .sensitivity import SENSITIVITY
from .set_ups import SET_UPS
from .settings import (
    EvolutionSettings,
    Parity10Settings,
    ParitySettings,
    RivalRatesSettings,
    RivalSettings,
    SensitivitySettings,
    SpiralsSettings,
)
from .spirals import SPIRALS

REPLICATION = Replication(
    name="cascor",
    title="The Cascade-Correlation learning architecture",
    citation="S. E. Fahlman and C. Lebiere, CMU-CS-90-100 (1990) and NIPS 2 (1990), pp. 524-532",
    folder=Path(__file__).parent,
    schema={
        "spirals": SpiralsSettings,
        "sensitivity": SensitivitySettings,
        "evolution": EvolutionSettings,
        "rivals": RivalSettings,
        "rival_rates": RivalRatesSettings,
        "parity": ParitySettings,
        "parity10": Parity10Settings,
    },
    experiments=(SPIRALS, SENSITIVITY, EVOLUTION, RIVALS, RIVAL_RATES, PARITY, PARITY10),
    figures=FIGURES,
    tables=TABLES,
    estimates=ESTIMATES,
    set_ups=SET_UPS,
)
