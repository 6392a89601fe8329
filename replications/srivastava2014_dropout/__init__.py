"""Dropout: Srivastava et al. 2014, and what became of its claims."""

from pathlib import Path

from oldschool.runs.experiment import Replication

from .architectures import ARCHITECTURES
from .artefacts import FIGURES, TABLES
from .convnet import CONVNET
from .dataset_size import DATASET_SIZE
from .estimates import ESTIMATES
from .features import FEATURES
from .gaussian import GAUSSIAN
from .marginal import MARGINAL
from .monte_carlo import MONTE_CARLO
from .pretraining import PRETRAINING
from .rate import RATE
from .rbm import RBM
from .regularizers import REGULARIZERS
from .scales import SCALES
from .set_ups import SET_UPS
from .settings import (
    ArchitecturesSettings,
    ConvnetSettings,
    DatasetSizeSettings,
    FeaturesSettings,
    GaussianSettings,
    MarginalSettings,
    MonteCarloSettings,
    PretrainingSettings,
    RateSettings,
    RbmSettings,
    RecipeSettings,
    RegularizersSettings,
)

REPLICATION = Replication(
    name="dropout",
    title="Dropout: a simple way to prevent neural networks from overfitting",
    citation=(
        "N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, Journal of "
        "Machine Learning Research 15 (2014), pp. 1929-1958"
    ),
    folder=Path(__file__).parent,
    schema={
        "recipe": RecipeSettings,
        "architectures": ArchitecturesSettings,
        "regularizers": RegularizersSettings,
        "gaussian": GaussianSettings,
        "rate": RateSettings,
        "dataset_size": DatasetSizeSettings,
        "monte_carlo": MonteCarloSettings,
        "features": FeaturesSettings,
        "rbm": RbmSettings,
        "marginal": MarginalSettings,
        "convnet": ConvnetSettings,
        "pretraining": PretrainingSettings,
    },
    experiments=(
        ARCHITECTURES,
        REGULARIZERS,
        GAUSSIAN,
        RATE,
        DATASET_SIZE,
        MONTE_CARLO,
        FEATURES,
        RBM,
        MARGINAL,
        CONVNET,
        PRETRAINING,
    ),
    figures=FIGURES,
    tables=TABLES,
    estimates=ESTIMATES,
    set_ups=SET_UPS,
    scales=SCALES,
)
