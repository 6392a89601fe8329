"""The figures and tables of the report, in the order they are shown."""

from __future__ import annotations

from oldschool.runs.experiment import Figure, Table

from . import tables
from .figures import evolution, parity, rivals, spirals

FIGURES = (
    Figure(
        name="spirals_histogram",
        needs=("spirals",),
        draw=spirals.spirals_histogram,
        title="Two spirals: hidden units and epochs of a trial",
        caption=(
            "Parameters that the authors' Lisp program advises, pool of 8 sigmoid candidates. "
            "Bars are 90 % Wilson intervals, of the paper's hundred trials too."
        ),
        alt="Histogram of hidden units beside the paper's, and histogram of epochs.",
        original="The text of section 3.1 lists the histogram of 100 trials, 12 to 19 units.",
    ),
    Figure(
        name="spirals_phases",
        needs=("spirals_phases",),
        draw=spirals.spirals_phases,
        title="Two spirals: learning curves by phase",
        caption=(
            "Left: each line is a trial, a point for each output phase. Middle and right: "
            "medians, and bands that hold half of the trials, where at least ten still go on; "
            "epochs of a phase, output and candidate."
        ),
        alt="Wrong points against epochs; squared error and epochs of each phase against units.",
    ),
    Figure(
        name="evolution_outputs",
        needs=("evolution",),
        draw=evolution.evolution_outputs,
        title="Two spirals: the output as hidden units are added",
        caption=(
            "One trial, the first of the declared seed that ends with 12 units. White points are "
            "to be positive, black ones negative."
        ),
        alt="A grey picture of the plane for each number of hidden units.",
        original="Figs 3 and 4 show such a 12-unit trial, black strongly negative.",
    ),
    Figure(
        name="evolution_fields",
        needs=("evolution",),
        draw=evolution.evolution_fields,
        title="Two spirals: what each hidden unit responds to",
        caption="The units of the same trial, in the order they were installed.",
        alt="A grey picture of the plane for each hidden unit.",
        original=(
            "Figs 3 and 4; the paper says that the first six units follow the first one and a half "
            "turns smoothly."
        ),
    ),
    Figure(
        name="sensitivity",
        needs=("spirals", "sensitivity"),
        draw=spirals.sensitivity,
        title="Two spirals: what the report leaves open",
        caption=(
            "One parameter changed at a time. Bars are 90 % intervals; hidden units and epochs of "
            "the trials that learn. Grey: the range of the authors' own programs. Of the tanh rows "
            "only the last has rates, offset and starting weights in the units of tanh."
        ),
        alt="Forest plot of success, hidden units and epochs for each variation.",
        sensitivity=True,
    ),
    Figure(
        name="pool",
        needs=("spirals", "sensitivity"),
        draw=spirals.pool,
        title="Two spirals: the size of the candidate pool",
        caption="Means over the trials that learn, with 90 % intervals. Star: paper, pool of 8.",
        alt="Hidden units, epochs and crossings against the number of candidates.",
        original="Section 2 says that pools of four to eight are typical.",
        sensitivity=True,
    ),
    Figure(
        name="n_log_n",
        needs=("spirals",),
        draw=spirals.n_log_n,
        title="Two spirals: learning time against the size of the net",
        caption=(
            "Boxes hold half of the trials that end with so many units. Curves go through the mean "
            "of all trials."
        ),
        alt="Box plots of epochs by hidden units with three curves of growth.",
        original="Section 4: learning time grows very roughly as N log N.",
    ),
    Figure(
        name="rivals",
        needs=("spirals", "rivals"),
        draw=rivals.rivals,
        title="Two spirals: Cascade-Correlation, back-propagation, Quickprop",
        caption=(
            "Back-propagation and Quickprop train Lang and Witbrock's 2-5-5-5-1 net with "
            "shortcuts from random starts, given up where the line ends; crossings go forward and "
            "back for them. Stars: the paper's numbers, of starts that learned, at half height."
        ),
        alt="Share of starts that have learned against epochs and crossings, three curves.",
    ),
    Figure(
        name="parity",
        needs=("parity",),
        draw=parity.parity,
        title="N-bit parity: hidden units and epochs",
        caption="Means over the trials that learn, with 90 % intervals; Gaussian hidden units.",
        alt="Hidden units and epochs against N for two set-ups, with the paper's values.",
        original="A table of section 3.2, five trials for each N.",
    ),
    Figure(
        name="parity10",
        needs=("parity10",),
        draw=parity.parity10,
        title="10-bit parity: errors on the cases that were not trained",
        caption="Each trial has a random split of its own.",
        alt="Histograms of the error for two sizes of the training set.",
        original="Section 3.2 lists four trials of each split.",
    ),
)

TABLES = (
    Table(
        name="spirals",
        needs=("spirals",),
        build=tables.spirals,
        title="Two spirals",
        caption="The authors' own programs were run on the same 194 points. 90 % intervals.",
    ),
    Table(
        name="sensitivity",
        needs=("spirals", "sensitivity"),
        build=tables.sensitivity,
        title="Two spirals: one parameter changed at a time",
        caption="Means of the trials that learn, with 90 % intervals.",
        sensitivity=True,
    ),
    Table(
        name="rivals",
        needs=("rivals",),
        build=tables.rivals,
        title="Back-propagation and Quickprop on the two spirals",
        caption=(
            "Lang and Witbrock's net; medians of the starts that learn, with 90 % intervals. These "
            "leave the others out and so depend on the limit; the next two columns do not leave "
            "them out."
        ),
    ),
    Table(
        name="rival_rates",
        needs=("rival_rates",),
        build=tables.rival_rates,
        title="How the rivals' rates were chosen",
        caption=(
            "Other starts than those that are judged. Taken were, before the run and among more "
            "settings on yet other starts, rate .003 and decay 3e-5; decay 1e-4, which does "
            "better, was tried only after it."
        ),
        sensitivity=True,
    ),
    Table(
        name="parity",
        needs=("parity",),
        build=tables.parity,
        title="N-bit parity",
        caption="Means of the trials that learn, with 90 % intervals; the paper's are five trials.",
    ),
    Table(
        name="parity10",
        needs=("parity10",),
        build=tables.parity10,
        title="10-bit parity",
        caption="Means of the trials that learn, with 90 % intervals.",
    ),
)
