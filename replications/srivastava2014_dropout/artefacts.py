"""The figures and tables of the report: what each shows and what of the paper it answers."""

from __future__ import annotations

from oldschool.runs.experiment import Figure, Table

from . import settings, table2, tables
from .figures import architectures, errors, marginal, monte_carlo, sweeps, units
from .scales import DEFAULT

_MEANS = "Means over nets with 90 % intervals; nets that diverged are left out and counted."
_PAPER = "Profile paper: the printed nets, 60,000 digits, a million updates."
_FEATURES = settings.FeaturesSettings()
_RBM = settings.RbmSettings()
_MARGINAL = settings.MarginalSettings()


def _nets(experiment: str) -> str:
    """What the two profiles train, in words."""
    return f"Profile default: {DEFAULT[experiment]}; all 10,000 test digits. {_PAPER}"


_ARCHITECTURES = (
    f"Profile default: {DEFAULT['architectures']}, given here as layers x units; all 10,000 test "
    f"digits. {_PAPER}"
)
_REGULARIZERS, _GAUSSIAN, _RATE, _MONTE_CARLO = map(
    _nets, ("regularizers", "gaussian", "rate", "monte_carlo")
)
_KEPT = " and ".join(map(str, settings.RateSettings().kept))
_SETS = f"Profile default: {DEFAULT['dataset_size']}. Profile paper: the printed nets."
_AUTOENCODERS = (
    f"Autoencoders of one hidden layer of ReLU, with dropout p = {_FEATURES.keep:g} in it alone; "
    f"profile default: {DEFAULT['features']}."
)
_MACHINES = (
    f"Restricted Boltzmann machines trained by CD-1, with dropout p = {_RBM.keep:g} of the hidden "
    f"units; profile default: {DEFAULT['rbm']}."
)
_WEIGHTS = (
    "Input weights of the first units in use of the first net, pixel by pixel, white positive and "
    "black negative, each unit in units of its own largest."
)

FIGURES = (
    Figure(
        name="architectures",
        needs=("architectures",),
        draw=architectures.architectures,
        title="Test error along the training of six nets, with dropout and without",
        caption=(
            f"{_ARCHITECTURES} Means over nets, and thin the single nets; intervals at the end are "
            "in table fig4. Open marks are the narrower nets. Early moments off the scale are cut. "
            "Right: the paper's curves, a net each, read off its drawing; which net is which is "
            "not said. Axes differ: what compares is that the two bundles stay apart."
        ),
        alt="Test error against updates, twelve lines in two bundles, ours and the paper's.",
        original=(
            "Fig. 4: without dropout 1.6 to 1.9 %, with 1.0 to 1.2 %, from about 100,000 of a "
            "million updates on; dropout here is with max-norm."
        ),
    ),
    Figure(
        name="regularizers",
        needs=("regularizers",),
        draw=errors.regularizers,
        title="Test error under six regularizers",
        caption=(
            f"{_REGULARIZERS} {_MEANS} Ticks are single nets. Right: Table 9, with 90 % Wilson "
            "intervals as of one net's counts; of how many nets it is, is not said. "
            "Axes differ: what compares is the order."
        ),
        alt="Dots with intervals, a line a regularizer; ours left, the paper's right.",
        original="Table 9; no figure.",
    ),
    Figure(
        name="gaussian",
        needs=("gaussian",),
        draw=errors.gaussian,
        title="Bernoulli and Gaussian noise",
        caption=(
            f"{_GAUSSIAN} {_MEANS} Grey lines join nets of the same start and order of digits. "
            "Right: Table 10 with its +-, which is not said to be a standard deviation or an error "
            "of the mean."
        ),
        alt="Test errors of pairs of nets under two kinds of noise, and the paper's means.",
        original="Table 10; no figure.",
    ),
    Figure(
        name="rate",
        needs=("rate",),
        draw=sweeps.rate,
        title="Error against the probability of keeping a unit",
        caption=(
            f"{_RATE} Inputs are not dropped. With p n fixed, p n = {_KEPT}. "
            f"{_MEANS} Right: the paper's points and bars, what the bars are is not said."
        ),
        alt="Training and test error against p, widths fixed above and p n fixed below.",
        original=(
            "Figs 9a and 9b: U-shaped test error, flat from .4 to .8 with n fixed; 2.7 and 1.7 % "
            "at p = .1 in the text are training errors."
        ),
    ),
    Figure(
        name="dataset_size",
        needs=("dataset_size",),
        draw=sweeps.dataset_size,
        title="Error against the number of training digits",
        caption=(
            f"{_SETS} {_MEANS} Sets are drawn anew for each replicate; right: what dropout "
            "saves, pair by pair on one set. Stars: the paper, with its bars, without dropout "
            "hollow; what the bars are is not said."
        ),
        alt="Test error with and without dropout against training digits, and their difference.",
        original=(
            "Fig. 10: dropout is worse at 100 digits, level at 500 and 1000, and saves most, 1.75 "
            "points, at 5000."
        ),
    ),
    Figure(
        name="monte_carlo",
        needs=("monte_carlo",),
        draw=monte_carlo.monte_carlo,
        title="Averages of thinned nets against weight scaling",
        caption=(
            f"{_MONTE_CARLO} Outputs of k of a store of thinned nets are averaged; of each net the "
            "mean over draws. Bars and band: 90 % intervals over nets. Draws come from one store, "
            "so near its size they overlap. Middle: the paper's, with a star and its bar at ten of "
            "its 59 points. Right: the paper's and our error over that of weight scaling, of ours "
            "net by net, so that nets that differ do not blur it."
        ),
        alt="Test error against k beside the level of weight scaling: ours, the paper's, relative.",
        original=(
            "Fig. 11: 1.28 % at k = 3, at most weight scaling's 1.05 % from about 50 on, 1.04 % at "
            "119. In the authors' code 1000 stored masks, 100 draws for a k."
        ),
    ),
    Figure(
        name="feature_weights",
        needs=("feature_weights",),
        draw=units.feature_weights,
        title="What an autoencoder's hidden units look for",
        caption=f"{_AUTOENCODERS} {_WEIGHTS} Measures are in table features.",
        alt="Two grids of pictures of 28 by 28 weights, without dropout and with.",
        original=(
            "Fig. 7: without dropout units have no meaning each by itself, with it edges, strokes "
            "and spots; 256 units, p = .5."
        ),
    ),
    Figure(
        name="feature_activations",
        needs=("feature_activations", "features"),
        draw=units.feature_activations,
        title="How active an autoencoder's hidden units are",
        caption=(
            f"{_AUTOENCODERS} Left: activations of all units of the first net on all test digits, "
            "all units kept and nothing scaled; exact noughts are the single marks, and the last "
            f"bin has all above it. Right: ticks are nets. {_MEANS}"
        ),
        alt="Histograms of activations, and mean activations, without dropout and with.",
        original=(
            "Fig. 8: mean activations of units about 2.0 without and 0.7 with dropout, and of "
            "single activations a sharp peak at zero; on a test batch, by eye."
        ),
    ),
    Figure(
        name="rbm_weights",
        needs=("rbm_weights",),
        draw=units.rbm_weights,
        title="What a Boltzmann machine's hidden units look for",
        caption=f"{_MACHINES} {_WEIGHTS} Measures are in table rbm.",
        alt="Two grids of pictures of 28 by 28 weights, without dropout and with.",
        original="Fig. 12: with dropout coarser, and fewer dead units; 256 units, p = .5.",
    ),
    Figure(
        name="rbm_activations",
        needs=("rbm_activations", "rbm"),
        draw=units.rbm_activations,
        title="How active a Boltzmann machine's hidden units are",
        caption=(
            f"{_MACHINES} Left: P(h = 1) of all hidden units of the first machine on all test "
            f"digits. Right: ticks are machines. {_MEANS}"
        ),
        alt="Histograms of P(h = 1), and shares near zero, without dropout and with.",
        original="Fig. 13: with dropout sparser, without a penalty for it; no numbers.",
    ),
    Figure(
        name="marginal",
        needs=("marginal_path",),
        draw=marginal.marginal,
        title="Linear regression with dropout comes to ridge regression",
        caption=(
            f"Regression on {_MARGINAL.digits:,} digits with a fresh mask for each of "
            f"{_MARGINAL.batch} digits an update, rate {_MARGINAL.rate:g}. Distance of p w from "
            "the ridge solution with factor (1 - p) / p, relative to it, a line a path. The "
            "average is along the path. The paper gives the identity, and no experiment."
        ),
        alt="Relative distance against updates, both on logarithmic scales, a panel a p.",
    ),
)

TABLES = (
    Table(
        name="table2",
        needs=("architectures",),
        build=table2.table2,
        title="Feed-forward nets of Table 2",
        caption=(
            f"{_ARCHITECTURES} Beside each of the paper's nets ours that is most alike: of as many "
            "layers, where there are any, and with the same place from the widest. Ways are to be "
            "compared between nets of one size alone. "
            f"{_MEANS} Not run: the paper's maxout net and its support vector machine."
        ),
    ),
    Table(
        name="fig4",
        needs=("architectures",),
        build=table2.fig4,
        title="The nets of Fig. 4 at the end of the training, and wider ones",
        caption=(
            f"{_ARCHITECTURES} Layers x units, ReLU. In the paper 1.62 to 1.83 % without and 1.03 "
            f"to 1.13 % with dropout, whose mean is .61 of that without. {_MEANS} What is saved is "
            "the mean over pairs of nets of the same start and order of digits. Claims on all six "
            "sizes rest on the replicates of which no net diverged."
        ),
    ),
    Table(
        name="regularizers",
        needs=("regularizers",),
        build=tables.regularizers,
        title="Table 9: six regularizers",
        caption=f"{_REGULARIZERS} The paper's nets: 784-1024-1024-2048-10. {_MEANS}",
    ),
    Table(
        name="gaussian",
        needs=("gaussian",),
        build=tables.gaussian,
        title="Table 10: Bernoulli and Gaussian noise on MNIST",
        caption=f"{_GAUSSIAN} The paper's nets: two layers of 1024, ten nets. {_MEANS}",
    ),
    Table(
        name="rate",
        needs=("rate",),
        build=tables.rate,
        title="Figs 9a and 9b: the probability of keeping a unit",
        caption=(
            f"{_RATE} The paper's nets: n = 2048 in three layers, or p n = 256, 256 and 512. "
            f"{_MEANS}"
        ),
    ),
    Table(
        name="dataset_size",
        needs=("dataset_size",),
        build=tables.dataset_size,
        title="Fig. 10: the number of training digits",
        caption=f"{_SETS} The paper's nets: 784-1024-1024-2048-10, p = .5 and .8. {_MEANS}",
    ),
    Table(
        name="monte_carlo",
        needs=("monte_carlo",),
        build=tables.monte_carlo,
        title="Fig. 11: averages of k thinned nets",
        caption=(
            f"{_MONTE_CARLO} The paper's net: 784-1024-1024-2048-10. {_MEANS} Draws come from one "
            "store, so the sd over draws falls to nought as k nears its size."
        ),
    ),
    Table(
        name="features",
        needs=("features",),
        build=tables.features,
        title="Hidden units of the autoencoders, without dropout and with",
        caption=(
            f"{_AUTOENCODERS} Pixels a unit is spread over: (sum w^2)^2 / sum w^4 over pixels that "
            "vary. Near zero: below a tenth of the net's own mean. The paper's means are read by "
            f"eye. {_MEANS}"
        ),
    ),
    Table(
        name="rbm",
        needs=("rbm",),
        build=tables.rbm,
        title="Hidden units of the Boltzmann machines, without dropout and with",
        caption=(
            f"{_MACHINES} Dead: standard deviation of P(h = 1) over the test digits below .01. The "
            f"paper gives no numbers. {_MEANS}"
        ),
    ),
    Table(
        name="marginal",
        needs=("marginal",),
        build=tables.marginal,
        title="Section 9: identities of marginalised dropout",
        caption=(
            "Checks of the code: they hold by mathematics. Relative differences, in double "
            f"precision; digits: regression on {_MARGINAL.digits:,} of them."
        ),
    ),
    Table(
        name="convnets",
        needs=("convnet",),
        build=tables.convnets,
        title="Tables 3 and 4, and Table 10's CIFAR-10: convolutional nets",
        caption=f"Profile paper only. Gaussian noise: Table 10, ten nets in the paper. {_MEANS}",
    ),
    Table(
        name="pretraining",
        needs=("pretraining",),
        build=tables.pretraining,
        title="Table 2: deep belief nets",
        caption=f"Profile paper only. Nets of 500-500-2000 units, all MNIST. {_MEANS}",
    ),
)
