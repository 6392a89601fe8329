"""The paper's tables: test errors in %. What they quote of others' work is left out."""

from __future__ import annotations

# Feed-forward nets on MNIST by (hidden units, way, layers, width).
TABLE2: dict[tuple[str, str, int, int], float] = {
    ("logistic", "none", 2, 800): 1.60,
    ("logistic", "dropout", 3, 1024): 1.35,
    ("relu", "dropout", 3, 1024): 1.25,
    ("relu", "dropout_max_norm", 3, 1024): 1.06,
    ("relu", "dropout_max_norm", 3, 2048): 1.04,
    ("relu", "dropout_max_norm", 2, 4096): 1.01,
    ("relu", "dropout_max_norm", 2, 8192): 0.95,
}
# Deep belief nets of 500-500-2000 units, by how they are fine-tuned.
TABLE2_PRETRAINED = {"none": 1.18, "dropout": 0.92}

# Convolutional nets by data and way. Gaussian noise is of Table 10.
TABLES34: dict[tuple[str, str], float] = {
    ("svhn", "none"): 3.95,
    ("svhn", "fully_connected"): 3.02,
    ("svhn", "everywhere"): 2.55,
    ("cifar10", "none"): 15.60,
    ("cifar10", "fully_connected"): 14.32,
    ("cifar10", "everywhere"): 12.61,
    ("cifar10", "gaussian"): 12.5,
    ("cifar100", "none"): 43.48,
    ("cifar100", "fully_connected"): 41.26,
    ("cifar100", "everywhere"): 37.20,
}

# Nets of 1024-1024-2048 ReLU on MNIST.
TABLE9 = {
    "l2": 1.62,
    "l2_l1": 1.60,
    "l2_kl": 1.55,
    "max_norm": 1.35,
    "dropout_l2": 1.25,
    "dropout_max_norm": 1.05,
}

# Nets of two layers of 1024 units on MNIST, by noise: error, and its +-, which is not said to be
# a standard deviation or the mean's error.
TABLE10 = {"bernoulli": (1.08, 0.04), "gaussian": (0.95, 0.04)}

# Fig. 8, by eye: mean activation of the hidden units, by way.
FIG8_MEANS = {"none": 2.0, "dropout": 0.7}
TEST_DIGITS = 10_000
