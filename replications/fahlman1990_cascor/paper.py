"""The paper's numbers that figures and tables need beside the claims."""

from __future__ import annotations

HISTOGRAM = {12: 4, 13: 9, 14: 24, 15: 19, 16: 24, 17: 13, 18: 5, 19: 2}
SPIRALS = {
    "trials": "100", "learned, %": "100", "hidden_mean": "15.2", "hidden_median": "15",
    "hidden_min": "12", "hidden_max": "19", "epochs": "1700", "crossings": "19",
}  # fmt: skip
# {N: (fewest hidden units, most, mean epochs)} of five trials.
PARITY = {
    2: (1, 1, 24), 3: (1, 1, 32), 4: (2, 2, 66), 5: (2, 3, 142), 6: (3, 3, 161), 7: (4, 5, 292),
    8: (4, 5, 357),
}  # fmt: skip
# {training cases: per cent wrong of the others, of four trials}
PARITY10 = {512: (1.8, 5.8, 6.2, 2.7), 256: (14.4, 11.7, 7.2, 6.4)}
RIVAL_EPOCHS = {"back-propagation": 20000, "quickprop": 8000}
RIVAL_CROSSINGS = {"back-propagation": 1.1e9, "quickprop": 438e6}
EPOCHS, CROSSINGS, HIDDEN_MEAN = 1700, 19e6, 15.2
MILLION = 1e6  # the unit in which crossings are shown
