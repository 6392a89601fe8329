"""One estimate a claim: a pure function from the frames to a number with its interval."""

from .dataset_size import DATASET_SIZE_ESTIMATES
from .features import FEATURES_ESTIMATES
from .fig4 import FIG4_ESTIMATES
from .monte_carlo import MONTE_CARLO_ESTIMATES
from .nets import guarded
from .rate import RATE_ESTIMATES
from .table2 import TABLE2_ESTIMATES
from .tables import TABLES_ESTIMATES
from .theory import THEORY_ESTIMATES

ESTIMATES = {
    name: guarded(estimator)
    for name, estimator in {
        **TABLE2_ESTIMATES,
        **FIG4_ESTIMATES,
        **TABLES_ESTIMATES,
        **FEATURES_ESTIMATES,
        **RATE_ESTIMATES,
        **DATASET_SIZE_ESTIMATES,
        **MONTE_CARLO_ESTIMATES,
        **THEORY_ESTIMATES,
    }.items()
}
