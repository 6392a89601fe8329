"""Optimal Brain Damage: LeCun, Denker & Solla 1989, and what became of its claims."""

from pathlib import Path

from oldschool.runs.experiment import Replication

from .artefacts import FIGURES, TABLES
from .deletion import DELETION
from .diagonals import DIAGONALS
from .digits import DIGITS
from .estimates import ESTIMATES
from .interactive import INTERACTIVE
from .passes import PASSES
from .retraining import RETRAINING
from .set_ups import SET_UPS
from .settings import (
    DeletionSettings,
    DiagonalsSettings,
    DigitsSettings,
    InteractiveSettings,
    RetrainingSettings,
    SharesSettings,
    TrainingsSettings,
)
from .shares import SHARES
from .trainings import TRAININGS

REPLICATION = Replication(
    name="obd",
    title="Optimal Brain Damage",
    citation="Y. LeCun, J. S. Denker and S. A. Solla, NIPS 2 (1989), pp. 598-605",
    folder=Path(__file__).parent,
    schema={
        "digits": DigitsSettings,
        "diagonals": DiagonalsSettings,
        "deletion": DeletionSettings,
        "retraining": RetrainingSettings,
        "shares": SharesSettings,
        "trainings": TrainingsSettings,
        "interactive": InteractiveSettings,
    },
    experiments=(DIGITS, DIAGONALS, DELETION, RETRAINING, SHARES, TRAININGS, INTERACTIVE, PASSES),
    figures=FIGURES,
    tables=TABLES,
    estimates=ESTIMATES,
    set_ups=SET_UPS,
)
