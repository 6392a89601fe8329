"""The figures and tables of the report: what each shows and what of the paper it answers."""

from __future__ import annotations

from oldschool.runs.experiment import Figure, Table

from . import tables
from .figures import deletion, diagonals, retraining, speed

_LINES = "Means over nets, bands their 90 % intervals (Student's t) or, of fewer than five, range."

FIGURES = (
    Figure(
        name="deletion",
        needs=("deletion",),
        draw=deletion.deletion_error,
        title="Error against parameters left, without retraining",
        caption=(
            "All methods look once at the same trained nets and delete weights in their order, "
            "biases included. OBD: saliencies by the paper's recursion over the 7291 training "
            "digits, with and without its f'' terms, and with the exact diagonal of the Hessian "
            "(of 100 digits). "
            "OBS: H of 1000 digits, alpha 1e-4, computed once. dB over the unpruned net. The test "
            f"set is not in the paper's figure. {_LINES}"
        ),
        alt="MSE in dB against parameters left, 0 to 2578, six methods, training and test set.",
        original=(
            "Fig. 1a: objective in dB, 0 to 16, by magnitude and by OBD, which lies below it all "
            "along; random deletion is off the scale. One net."
        ),
    ),
    Figure(
        name="prediction",
        needs=("deletion",),
        draw=deletion.prediction,
        title="The error that OBD foresees, and the one that comes",
        caption=(
            "Left: the training error along OBD's deletions, what the sum of the deleted "
            "saliencies foresees, and what all of the Gauss-Newton matrix foresees for the very "
            "same deletions (of 1000 digits): the two differ mostly by the second derivatives off "
            "the diagonal (table terms). Both count the unpruned error in, so that even a forecast "
            "of no rise at all agrees to 1 dB up to some 640 deletions. Right: the ratio of "
            "actual and foreseen error, with what OBD by the "
            f"exact diagonal and OBS foresee of their own deletions. {_LINES}"
        ),
        alt="Foreseen and actual error in dB against parameters left, and their ratio.",
        original="Fig. 1b: both agree up to about 800 deleted; from there the foreseen is lower.",
    ),
    Figure(
        name="retraining",
        needs=("deletion", "retraining"),
        draw=retraining.retrained_error,
        title="Error with and without retraining",
        caption=(
            "A tenth of the weights goes a round, then one pass of retraining (open marks). OBD's "
            "line without retraining is that of figure deletion, on one look at the net. All "
            "methods prune the same nets and see the digits in the same order; OBS and random "
            f"deletion prune the first two only. {_LINES}"
        ),
        alt="MSE in dB against parameters left with and without retraining, both sets.",
        original=(
            "Figs 2a and 2b: log-MSE of both sets, -2 to 16 and 0 to 16 dB; with retraining "
            "almost the same up to 1500 deleted."
        ),
    ),
    Figure(
        name="error_rates",
        needs=("deletion", "retraining"),
        draw=retraining.error_rates,
        title="Test error rate against parameters",
        caption=(
            "Share of the 2007 test digits whose largest output is not the right one. Left on one "
            "look, right in rounds with retraining. The paper says that recognition rises "
            f"slightly. OBS and random deletion with retraining prune the first two nets only. "
            f"{_LINES}"
        ),
        alt="Test error rate against parameters left for all methods, two panels.",
    ),
    Figure(
        name="interactive",
        needs=("interactive",),
        draw=retraining.interactive,
        title="The net of 9760 parameters on its way to a quarter of them",
        caption=(
            "First its second-to-last layer is removed (grey line) and the net trained again, then "
            "OBD deletes a tenth of the 5590 parameters a round, each with a pass of retraining. "
            f"{_LINES}"
        ),
        alt="MSE and error rates on both sets against parameters left.",
        original=(
            "Section 3: without the layer training MSE is ten times, test MSE half as much again, "
            "and the test error rate lower; in the end a quarter of the parameters does."
        ),
    ),
    Figure(
        name="diagonals",
        needs=("diagonals", "diagonal_weights"),
        draw=diagonals.diagonals,
        title="The diagonals that OBD could use against the exact one",
        caption=(
            "Second derivatives of trained nets over 300 training digits. Left and middle: weight "
            "by weight, of the first net; values that are not positive are left out and counted. "
            "Right: sum over each layer in units of the exact one's. The recursion drops the "
            "second derivatives between the connections that share a weight, and so falls short "
            "where many share one; the Gauss-Newton diagonal does not."
        ),
        alt="Two scatters of approximate against exact diagonals, and ratios by layer.",
    ),
    Figure(
        name="layers",
        needs=("deletion_layers",),
        draw=deletion.layers,
        title="Which layers lose most",
        caption=(
            "Weights left of each layer (its number of parameters above) along the deletions of "
            f"figure deletion. The grey line loses evenly. {_LINES}"
        ),
        alt="Share of weights left against deletions, a panel a layer, four methods.",
    ),
    Figure(
        name="kernels",
        needs=("diagonal_weights",),
        draw=diagonals.kernels,
        title="The first layer's kernels and their saliencies",
        caption=(
            "The four 5 x 5 kernels of the first net: weights, saliencies by the paper's "
            "recursion, and by the exact diagonal (300 training digits), a thousandth of the "
            "largest and less in the darkest shade."
        ),
        alt="Three rows of four maps of 5 by 5 cells.",
    ),
    Figure(
        name="field",
        needs=("field",),
        draw=diagonals.field,
        title="Where on the input field the saliency arises",
        caption=(
            "The saliencies of the first layer's kernels by the recursion's Levenberg-Marquardt "
            "form, sorted by the pixel that "
            "each connection reads: summed over the field they are the kernels'. Paper, -1, counts "
            "as much as ink, 1. Beside it the mean of 300 training digits."
        ),
        alt="Two heat maps of 28 by 28 pixels.",
    ),
    Figure(
        name="obs_alphas",
        needs=("deletion",),
        draw=deletion.obs_alphas,
        title="OBS on the small net against alpha",
        caption=(
            "Without retraining, H of 1000 digits computed once; means over the nets that all "
            "alphas were run on. Magnitude pruning of all nets for comparison. The paper of OBS "
            "calls 1e-8 to 1e-4 uncritical."
        ),
        alt="MSE in dB against parameters left, a line an alpha, both sets.",
        sensitivity=True,
    ),
    Figure(
        name="classification",
        needs=("classification",),
        draw=speed.classification,
        title="Time of a classification against parameters left",
        caption=(
            "Measured by make bench, not part of the run: one net pruned by OBD in rounds of 250 "
            "weights with a pass of retraining each; single precision, one thread. Dense forms "
            "multiply by a deleted weight as by any other. Zeros left out: a sparse matrix a layer "
            "of the connections that are left, which is the faster form of the whole net already, "
            "so the gain of pruning is along its line, the circles. Dotted: the whole net's time "
            "in "
            "proportion to connections."
        ),
        alt="Microseconds a digit against parameters left, one digit and 100 at once, three forms.",
        original="Conclusion: speed increases significantly; no number.",
    ),
)

TABLES = (
    Table(
        name="nets",
        needs=("digit_nets", "interactive"),
        build=tables.nets,
        title="The two nets as trained",
        caption=(
            "Means over nets with 90 % intervals. The small net's paper counts 2549 + 700 printed "
            "digits among its digits, which are not to be had; whether an MSE is a mean of "
            "(t - o)^2, as here, or of half of it, is said nowhere. Intervals are over nets; all "
            "see "
            "the same digits."
        ),
    ),
    Table(
        name="terms",
        needs=("deletion",),
        build=tables.terms,
        title="What each approximation foresees of OBD's deletions",
        caption=(
            "Rises of the training MSE, means over nets with 90 % intervals. The gradient's term "
            "is "
            "what the extremal approximation drops; the quadratic form with the whole Gauss-Newton "
            "matrix (of 1000 digits) drops neither shared weights nor what lies off the diagonal. "
            "Between 400 and 1500 deletions most of it comes from the output layer, and most of "
            "that "
            "from the mean over digits of what the deletions do to the net inputs of its units: "
            "the "
            "weights act together as a bias. Share foreseen: median over nets of each net's share."
        ),
    ),
    Table(
        name="shares",
        needs=("shares",),
        build=tables.shares,
        title="Sensitivity to the share deleted a round, and variants of deletion",
        caption=(
            "OBD (Levenberg-Marquardt form on 100 digits) to 1500 of 2578 parameters deleted, with "
            "six passes of retraining in sum, spread evenly over the weights that go. The paper "
            "gives no share; its variants are to decrease weights of low saliency instead of "
            "deleting them (here halved, and deleted if still low a round later), and to let "
            "deleted weights come back (here until the last round)."
        ),
        sensitivity=True,
    ),
    Table(
        name="trainings",
        needs=("trainings",),
        build=tables.trainings,
        title="Sensitivity of deletion without retraining to how the net was trained",
        caption=(
            "Training error over the unpruned net's in dB, mean over nets of ten passes, by "
            "magnitude, by OBD, and as OBD foresees it; intervals of the unpruned nets at 90 %. "
            "One choice (of mu, with a rate that trains) is changed at a time that the papers "
            "leave "
            "open; nets that did not learn "
            "(half of the digits wrong) are left out. mu keeps the steps of "
            "weights without curvature small: at .02 and .1 they are long."
        ),
        sensitivity=True,
    ),
    Table(
        name="layers",
        needs=("retraining",),
        build=tables.layers,
        title="What is left of the layers, and of the work, after retraining",
        caption=(
            "At the round nearest to the paper's 1500 deletions; 104, 8, 512, 24 and 1930 "
            "parameters and 98,442 connections before."
        ),
    ),
)
