"""The figures and tables of the report: what each shows and what of the paper it answers."""

from __future__ import annotations

from oldschool.runs.experiment import Figure, Table

from . import tables
from .figures import cost, gaussian, monks, nettalk, prediction, xor

INTERVALS = "Bars are 90 % Wilson intervals."

FIGURES = (
    Figure(
        name="monks_weights",
        needs=("monks",),
        draw=monks.monks_weights,
        title="Weights left on the MONK's problems",
        caption=(
            "Share of the trained nets that have at most so many weights left when the next "
            "deletion would take the training accuracy below the paper's. Upper row: no "
            "retraining, as in the paper. Lower row: retrained after each deletion (Levenberg-"
            "Marquardt, to a standstill or monks.retrain_iterations steps). All methods prune the "
            "same nets. Weight decay and alpha were chosen for OBS, on other nets, from training "
            "data alone."
        ),
        alt=(
            "Cumulative distributions of weights left for magnitude, OBD and OBS on three "
            "problems, with the paper's count as a line, without and with retraining."
        ),
        original="Table 1 of the paper gives one net a problem: 14, 15 and 4 weights by OBS.",
    ),
    Figure(
        name="monks_paths",
        needs=("monks_paths", "monks"),
        draw=monks.monks_paths,
        title="Error along the whole path of deletions",
        caption=(
            "Median over nets (band: quartiles, drawn where nets are not retrained) of training "
            "error and test accuracy as weights are deleted one by one to the last. Filled "
            "markers and full lines: no retraining. Open markers and dotted lines: retrained "
            "after each deletion. Star: the paper's OBS net."
        ),
        alt="Training error and test accuracy against weights left, six curves a problem.",
    ),
    Figure(
        name="monks_grid",
        needs=("monks_grid", "monks"),
        draw=monks.monks_grid,
        title="Weight decay and alpha decide what OBS reaches",
        caption=(
            "Mean weights left by OBS without retraining at the paper's training accuracy. "
            "Vertical: weight decay of the training, with the share of nets that reach that "
            "accuracy; horizontal: alpha, of which 1e-8 to 1e-4 is the paper's range. Framed: "
            "the pair chosen for Table 1, from training data alone. Empty: no net reached that "
            "accuracy."
        ),
        alt="Three heat maps of mean weights left over weight decay and alpha.",
        original="The paper names no weight decay and calls the result insensitive to alpha.",
        sensitivity=True,
    ),
    Figure(
        name="monk1_net",
        needs=("monks_weights", "monks"),
        draw=monks.monk1_net,
        title="A MONK-1 net before and after OBS",
        caption=(
            "The net, of those whose weights are kept, that ends nearest to the median counts of "
            "weights and inputs. "
            "Line width grows with the weight; grey inputs are no longer read."
        ),
        alt="Two drawings of a 17-3-1 net, all weights above, those left by OBS below.",
        original="Fig. 6 shows the MONK-1 net before and after: 14 weights, 6 inputs stay.",
    ),
    Figure(
        name="xor_right",
        needs=("xor",),
        draw=xor.xor_right,
        title="XOR: how often each method deletes a right weight",
        caption=(
            "Left: share of minima at which the net without the chosen weight relearns XOR in "
            "at least one of several retrainings. Right: share at which all four patterns are "
            "right after the method's own deletion, without retraining. Four combinations of "
            f"transfer function and targets; alpha 1e-6. {INTERVALS}"
        ),
        alt="Points with intervals for three methods over eight set-ups, two criteria.",
        original=(
            "Section 5: only OBS deleted the correct weight in every case; magnitude and OBD "
            "did in some. The number of starts is not given."
        ),
    ),
    Figure(
        name="xor_alpha",
        needs=("xor",),
        draw=xor.xor_alpha,
        title="XOR: OBS against alpha",
        caption=(
            "Shares of the minima reached without weight decay, over the paper's range of alpha. "
            f"{INTERVALS}"
        ),
        alt="Lines of shares against alpha for four set-ups, two criteria.",
        original="Section 3 calls the result insensitive to alpha from 1e-8 to 1e-4.",
        sensitivity=True,
    ),
    Figure(
        name="xor_stop",
        needs=("xor_stop",),
        draw=xor.xor_stop,
        title="XOR: how close to zero error the nets are trained decides",
        caption=(
            "Where finite weights cannot reach the targets, training has to end at some error; "
            "the primary setting is 1e-4 of the squared target distance. The closer to zero, the "
            "smaller the eigenvalues of H; those below alpha no longer count, and with logistic "
            "units OBS becomes magnitude pruning. With tanh and the smallest alphas the share "
            f"rises again. No weight decay. {INTERVALS}"
        ),
        alt="Shares against the final training error, a line an alpha, two set-ups.",
        original="Section 5: trained to a zero-error minimum; how close to zero is not said.",
        sensitivity=True,
    ),
    Figure(
        name="xor_nets",
        needs=("xor", "xor_starts"),
        draw=xor.xor_nets,
        title="XOR: the three pruned nets",
        caption=(
            "The first minimum at which the methods delete what they delete in the paper's "
            "figure and the OBS net still solves XOR (else the nearest to that). Numbers are "
            "weights after the deletion; dotted: deleted."
        ),
        alt="Three drawings of a 2-2-1 net, each with one weight deleted.",
        original="Fig. 3: magnitude deletes v3, OBD u22, OBS u23.",
    ),
    Figure(
        name="xor_hessian",
        needs=("xor", "xor_starts"),
        draw=xor.xor_hessian,
        title="XOR: the Hessian at a minimum",
        caption="Magnitudes of the elements of H = 1/P sum X X^T at the minimum drawn above.",
        alt="Heat map of a 9 by 9 matrix with large elements off the diagonal.",
        original="Fig. 4: the Hessian at the minimum, far from diagonal.",
    ),
    Figure(
        name="xor_surface",
        needs=("xor", "xor_starts"),
        draw=xor.xor_surface,
        title="XOR: slices of the error surface",
        caption=(
            "Error over two weights with the seven others fixed at the minimum drawn above. "
            "Each slice has the two methods whose weights span it. OBS moves the other weights "
            "too, so the error at its mark is not the error of its net."
        ),
        alt="Two contour maps with the minimum and three end points.",
        original="Fig. 5: slices in v3/u23 and in u22/u23 with the three methods' end points.",
    ),
    Figure(
        name="inequality",
        needs=("inequality",),
        draw=prediction.inequality,
        title="E(mag) >= E(OBD) >= E(OBS) for one deletion",
        caption=(
            "Share of nets in which the error increases of the three methods' first deletions "
            "stand in the paper's order: as predicted with one and the same matrix H, where OBD "
            "picks by its diagonal, and as they are, where OBD picks by the exact diagonal. XOR "
            "nets are trained without decay, MONK's nets are at a minimum of error plus decay. "
            f"{INTERVALS}"
        ),
        alt="Shares with intervals for seven tasks, predicted and actual.",
        original="Section 3 states the order to second order.",
    ),
    Figure(
        name="predicted_actual",
        needs=("monks_paths", "inequality"),
        draw=prediction.predicted_actual,
        title="Predicted and actual increase of the error",
        caption=(
            "MONK's problems: each mark is one deletion that the stop rule accepted, no "
            "retraining. The nets are at a minimum of error plus weight decay, so the error "
            "alone may also fall; such deletions, and predictions or rises below 1e-12, cannot be "
            "drawn and are counted in the legend. XOR: the first deletion at every minimum of "
            "the four set-ups. The line is a prediction that comes true."
        ),
        alt="Scatters of actual against predicted increase of the error, OBD and OBS, four tasks.",
    ),
    Figure(
        name="nettalk_error",
        needs=("nettalk",),
        draw=nettalk.nettalk_error,
        title="NETtalk: error along the way from 5546 weights",
        caption=(
            "Sum of squared errors on the 1000 words of the training and on all other words of "
            "the dictionary, in per cent of that of the same net before pruning; median and "
            "range over nets. Upper row: no retraining. Lower row: retrained at each dotted line "
            "(open marks), then pruned on. Methods compute their saliencies anew every 1000 "
            "deletions (nettalk.every). Lines that leave a panel go on outside it. Star: the "
            "paper's ratio of 4701 to 5259."
        ),
        alt="Four panels of error against weights left for three methods with bands.",
        original=(
            "Section 6 gives numbers only: 5546 weights, 2438 after the first OBS run, "
            "retrained, 1560; test error 5259 before and 4701 after, in units not given."
        ),
    ),
    Figure(
        name="nettalk_weights",
        needs=("nettalk_weights",),
        draw=nettalk.nettalk_weights,
        title="NETtalk: which weights stay",
        caption=(
            "Share of the weights left when the last target is reached. Left: from each letter in "
            "each place of the window (0 is the letter spoken) under OBS; letters never seen in a "
            "place count, too. Middle: by place, the codes of word boundary and punctuation "
            "included. Right: to each output unit, biases included. Means over nets; letters and "
            "features are those of the data, the features recalled from the table of 1987."
        ),
        alt="A heat map of letters by place, lines by place, marks by output unit.",
    ),
    Figure(
        name="nettalk_large",
        needs=("nettalk_large",),
        draw=nettalk.nettalk_large,
        title="NETtalk: Sejnowski and Rosenberg's net of 80 hidden units pruned to 1560 weights",
        caption=(
            "Each line is one net of 18,426 weights under OBS (single precision), which computes "
            "H once a stage, and is then retrained (open marks). Words that were not trained."
        ),
        alt="Test error and share of right phonemes against weights left, stage by stage.",
        original="The abstract sets the 1560 weights of a pruned smaller net beside their 18,000.",
    ),
    Figure(
        name="nettalk_looks",
        needs=("nettalk_looks",),
        draw=nettalk.nettalk_looks,
        title="NETtalk: alpha, precision, and how often H is computed anew",
        caption=(
            "OBS without retraining, medians. Top: one look at the net, alpha from 1e-8 to 1e-4, "
            "H^-1 in double (full marks) and single precision (open); right, the share of the "
            "weights left that both have left. Bottom: H computed anew after so many deletions, "
            "on the net of 24 hidden units and on one small enough for a look at each deletion, "
            "as the paper has it."
        ),
        alt="Four panels of training error and shared survivors against weights left.",
        original="Section 3: H is computed anew after each deletion; alpha is called uncritical.",
        sensitivity=True,
    ),
    Figure(
        name="gaussian_paths",
        needs=("gaussian",),
        draw=gaussian.gaussian_paths,
        title="Gaussian task: OBS without retraining against OBD with 60 epochs a deletion",
        caption=(
            "E = 1/(2P) sum (t - o)^2, mean over nets with its 90 % interval, each net with data "
            "and start of its own. Left: trained to a minimum; right: stopped at its least "
            "validation error. Dash-dotted: the paper's crossing of the training errors at 24 "
            "deletions and its least test error of OBS at 22, and at 17 for the early-stopped net."
        ),
        alt="Four panels of training and test error against deletions for OBD and OBS.",
        original=(
            "NIPS 6, Figs 1 and 2, of one net each: OBS's training error is below OBD's until the "
            "24th deletion; its test error is least after 22 (17 for the early-stopped net) while "
            "OBD's rises on average."
        ),
    ),
    Figure(
        name="gaussian_entropy",
        needs=("gaussian",),
        draw=gaussian.gaussian_entropy,
        title="Gaussian task: OBS for the cross-entropy",
        caption=(
            "Nets trained on the cross-entropy and pruned by OBS without retraining, with "
            "a_k = 1/(o(1-o)) in H as NIPS 6 has it, and as if the error were squared. Means over "
            "nets with 90 % intervals; outside the panels errors go on rising."
        ),
        alt="Three panels against deletions, two lines each.",
        original="NIPS 6 gives the formula and no result for it.",
    ),
    Figure(
        name="inverse_cost",
        needs=("inverse_cost",),
        draw=cost.inverse_cost,
        title="Time and memory of H^-1 against the number of weights",
        caption=(
            "Measured by `make bench`, not part of the run: 18,000 gradients, times scaled from "
            "fewer, as the cost of each is the same; double precision, all cores. Memory is the "
            "most that a process held, its libraries and the gradients included. Rank-1: the "
            "paper's recursion. Blocked: the same, 256 gradients at once. Direct: Gram matrix and "
            "Cholesky factor. NETtalk itself needs no gradients, see sparse_inputs.py."
        ),
        alt="Two panels, seconds and gigabytes against the number of weights, three lines.",
        original="Section 3: the recursion is of order P n^2.",
    ),
)

TABLES = (
    Table(
        name="table1",
        needs=("monks",),
        build=tables.table1,
        title="Table 1 of the paper, over hundreds of nets",
        caption=(
            "Nets that training brought to the paper's training accuracy, pruned to that "
            "accuracy. Weight decay and alpha are those chosen for OBS; the sensitivity table "
            "has every method at every decay. 90 % intervals in brackets; where nearly all nets "
            "end at the same count, an interval of the median has no width."
        ),
    ),
    Table(
        name="monks_grid",
        needs=("monks_grid",),
        build=tables.grid,
        title="Sensitivity: weight decay, alpha and transfer function",
        caption=(
            "Mean weights left at the paper's training accuracy, of the nets trained to it: OBS "
            "without retraining at each alpha, magnitude pruning and OBD; with retraining these "
            "on the first nets only, n of them trained. At a minimum: gradient norm within the "
            "tolerance."
        ),
        sensitivity=True,
    ),
    Table(
        name="monk3_rules",
        needs=("monks",),
        build=tables.monk3_rules,
        title="What the pruned MONK-3 nets compute",
        caption=(
            "Rules read off the answers to all 432 cases, the five most frequent of each method. "
            "90 % intervals in brackets."
        ),
    ),
    Table(
        name="xor_methods",
        needs=("xor",),
        build=tables.xor_methods,
        title="XOR: every set-up, method and alpha",
        caption="Shares of the minima; 90 % intervals in brackets.",
    ),
    Table(
        name="xor_starts",
        needs=("xor_starts",),
        build=tables.xor_starts,
        title="XOR: starts, minima and kinds of solution",
        caption=(
            "E (in units of the squared target distance) and its gradient at the minima. "
            "Distinct minima: up to complement and order of the hidden units, weights rounded to "
            "0.01; without decay minima are not isolated points. A kind of solution is what the "
            "two hidden units compute, up to complement and order."
        ),
    ),
    Table(
        name="xor_stop",
        needs=("xor_stop",),
        build=tables.xor_stop,
        title="XOR: sensitivity to the error at which training ends",
        caption=(
            "Set-ups whose targets no finite weights reach, no decay. E in units of the squared "
            "target distance; 90 % intervals in brackets."
        ),
        sensitivity=True,
    ),
    Table(
        name="xor_deletions",
        needs=("xor_deletions", "xor_structure"),
        build=tables.xor_deletions,
        title="XOR: which weights can be done without",
        caption=(
            "Each weight of each minimum deleted and the net retrained from the weights left "
            "(at once) and from these plus noise, beside fresh random starts of the same pruned "
            "architecture, weights U(-4, 4). Relearned: all patterns right and the error zero "
            "again; fresh starts solve XOR if all patterns are right. 90 % intervals."
        ),
    ),
    Table(
        name="inequality",
        needs=("inequality",),
        build=tables.inequality,
        title="The order of the three errors",
        caption="Share of nets in the paper's order; 90 % intervals in brackets.",
    ),
    Table(
        name="gaussian",
        needs=("gaussian", "gaussian_nets", "gaussian_sensitivity"),
        build=tables.gaussian,
        title="Gaussian task: the paper's numbers and how training bears on them",
        caption=(
            "First line: the nets that are judged; second: the first ten of them; others: these "
            "ten with one setting changed. Medians with 90 % intervals; the rise of OBD's test "
            "error over the first 22 deletions is a mean."
        ),
    ),
    Table(
        name="nettalk",
        needs=("nettalk",),
        build=tables.nettalk,
        title="NETtalk: the nets at the paper's counts",
        caption=(
            "Errors in per cent of those of the same net before pruning; right phonemes and "
            "stresses by best guess on the words that were not trained. Means with 90 % intervals. "
            "Dead outputs: of 26, those that say the same to every training letter, mean."
        ),
    ),
    Table(
        name="nettalk_looks",
        needs=("nettalk_looks",),
        build=tables.nettalk_looks,
        title="NETtalk: sensitivity to alpha, precision and looks",
        caption=(
            "OBS without retraining at the last count measured. A look computes H and its "
            "inverse; every: deletions between two looks. Drift: largest relative residual of H^-1 "
            "since the last look, measured every 256 deletions against an exact product with H. "
            "First apart: the deletion at which float32 first takes another weight than float64, "
            "median over the nets in which it does. Errors are means over nets."
        ),
        sensitivity=True,
    ),
)
