"""Frames of the dropout replication made by hand: plausible nets, few of them, some diverged."""

import numpy as np
import pandas as pd

RANDOM = np.random.default_rng


def frames(nets: int = 4, moments: int = 6, lost: tuple[int, ...] = ()) -> dict[str, pd.DataFrame]:
    """All frames; nets of the replicates in ``lost`` diverged where there was dropout."""
    return {
        "architectures": architectures(nets, moments, lost),
        "regularizers": errors(
            "way", {"l2": 5.2, "l2_l1": 5.1, "l2_kl": 5.0, "max_norm": 4.9, "dropout_l2": 4.3,
                    "dropout_max_norm": 4.0}, nets, lost,
        ),
        "gaussian": errors("noise", {"bernoulli": 4.1, "gaussian": 3.9}, nets, lost),
        "rate": rate(nets, lost),
        "dataset_size": dataset_size(nets, lost),
        "monte_carlo": monte_carlo(nets, lost),
        "features": features(nets),
        "feature_weights": weights(),
        "feature_activations": histogram(8.0, {"none": 31.0, "dropout": 68.5}),
        "rbm": rbm(nets),
        "rbm_weights": weights(),
        "rbm_activations": histogram(1.0, {}),
        "marginal": marginal(),
        "marginal_path": marginal_path(),
        "convnet": convnet(nets),
        "pretraining": errors("way", {"none": 1.3, "dropout": 0.98}, nets, ()),
    }  # fmt: skip


def _spoiled(row: dict, lost: tuple[int, ...]) -> dict:
    if row["replicate"] in lost and row.get("way", "") not in ("none", "l2", "l2_l1", "l2_kl"):
        row |= {name: 90.2 for name in ("test_error", "train_error") if name in row}
        row["diverged"] = True
    return row


def errors(column: str, means: dict, nets: int, lost: tuple[int, ...]) -> pd.DataFrame:
    draw = RANDOM(1)
    rows = []
    for name, mean in means.items():
        for replicate in range(nets):
            error = round(mean + 0.05 * replicate + draw.normal(0, 0.05), 2)
            rows.append(
                _spoiled({
                    column: name, "replicate": replicate, "test_wrong": int(100 * error),
                    "test_error": error, "train_error": 0.1, "diverged": False,
                }, lost)
            )  # fmt: skip
    return pd.DataFrame(rows)


def architectures(nets: int, moments: int, lost: tuple[int, ...]) -> pd.DataFrame:
    draw = RANDOM(2)
    rows = []

    def net(layers, width, hidden, way, final, every):
        for replicate in range(nets):
            for moment in range(1, moments + 1) if every else [moments]:
                late = moment / moments
                error = final + 8 * np.exp(-6 * late) + draw.normal(0, 0.1)
                row = {
                    "layers": layers, "width": width, "hidden": hidden, "way": way,
                    "replicate": replicate, "updates": 1500 * moment // moments,
                    "test_wrong": int(100 * error), "test_error": error, "diverged": False,
                }  # fmt: skip
                rows.append(_spoiled(row, lost))

    for layers in (2, 3, 4):
        for width in (128, 256):
            net(layers, width, "relu", "none", 5.5 - width / 1000, True)
            net(layers, width, "relu", "dropout_max_norm", 4.2 + layers / 20, True)
    net(3, 256, "logistic", "none", 6.6, False)
    net(3, 256, "logistic", "dropout", 6.2, False)
    net(3, 256, "relu", "dropout", 4.6, False)
    net(2, 512, "relu", "dropout_max_norm", 3.9, False)
    return pd.DataFrame(rows)


def rate(nets: int, lost: tuple[int, ...]) -> pd.DataFrame:
    draw = RANDOM(3)
    rows = []
    for series, grid in (("n_fixed", (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)), ("pn_fixed", (0.1, 0.5, 1))):
        for p in grid:
            for replicate in range(nets):
                test = 4 + 14 * (p - 0.55) ** 2 + draw.normal(0, 0.1)
                rows.append(
                    _spoiled({
                        "series": series, "p": float(p),
                        "units": 256 if series == "n_fixed" else round(64 / p),
                        "replicate": replicate, "test_wrong": int(100 * test), "test_error": test,
                        "train_error": 3 * np.exp(-12 * p), "diverged": False,
                    }, lost)
                )  # fmt: skip
    return pd.DataFrame(rows)


def dataset_size(nets: int, lost: tuple[int, ...]) -> pd.DataFrame:
    draw = RANDOM(4)
    rows = []
    points = {100: (24, 25), 500: (12.8, 12.4), 1000: (9.4, 8.2), 5000: (4.8, 3.5), 50000: (2, 1.5)}
    for digits, pair in points.items():
        for way, mean in zip(("none", "dropout_max_norm"), pair, strict=True):
            for replicate in range(2 * nets if digits <= 1000 else nets):
                test = mean * (1 + 0.02 * draw.normal())
                rows.append(
                    _spoiled({
                        "digits": digits, "way": way, "replicate": replicate,
                        "test_wrong": int(100 * test), "test_error": test, "train_error": 0.0,
                        "diverged": False,
                    }, lost)
                )  # fmt: skip
    return pd.DataFrame(rows)


def monte_carlo(nets: int, lost: tuple[int, ...]) -> pd.DataFrame:
    rows = []
    for replicate in range(nets):
        scaled = 4.0 + 0.1 * replicate
        for k in (0, 1, 3, 5, 9, 21, 51, 119):
            error = scaled * (1 + (0.25 / k - 0.005 if k else 0))
            rows.append(
                _spoiled({
                    "replicate": replicate, "k": k, "repeats": 20 if k else 1, "test_error": error,
                    "test_error_sd": 0.1 / np.sqrt(k) if k else 0.0, "diverged": False,
                }, lost)
            )  # fmt: skip
    return pd.DataFrame(rows)


def features(nets: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "way": way, "replicate": replicate, "effective_pixels": pixels + replicate,
                "mean_activation": mean * (1 + 0.01 * replicate), "near_zero": zero, "dead": 0.4,
                "neighbour_correlation": 0.6, "train_mse": mse, "test_mse": mse, "diverged": False,
            }
            for way, pixels, mean, zero, mse in (
                ("none", 180.0, 1.4, 40.0, 4.1), ("dropout", 90.0, 0.8, 70.0, 5.2),
            )
            for replicate in range(nets)
        ]
    )  # fmt: skip


def rbm(nets: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "way": way, "replicate": replicate, "dead": dead + 0.1 * replicate,
                "neighbour_correlation": 0.5, "near_zero": zero + replicate,
                "mean_activation": 0.2, "reconstruction_mse": 8.0, "diverged": False,
            }
            for way, dead, zero in (("none", 9.0, 55.0), ("dropout", 2.0, 75.0))
            for replicate in range(nets)
        ]
    )  # fmt: skip


def weights(units: int = 7) -> pd.DataFrame:
    row, column = np.divmod(np.arange(784), 28)
    parts = []
    for way, width in (("none", 2.0), ("dropout", 4.0)):
        for unit in range(units):
            far = (row - 6 - 2 * unit) ** 2 + (column - 20 + 2 * unit) ** 2
            value = (-1) ** unit * (unit + 1) * np.exp(-far / (2 * width**2))
            parts.append(pd.DataFrame({"way": way, "unit": 10 * unit, "pixel": np.arange(784),
                                       "value": value}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def histogram(end: float, zeros: dict[str, float]) -> pd.DataFrame:
    edges = np.linspace(0, end, 41)
    parts = []
    for way, scale in (("none", 0.3 * end), ("dropout", 0.1 * end)):
        share = np.exp(-edges[:-1] / scale)
        share *= (100 - zeros.get(way, 0)) / share.sum()
        low, high = edges[:-1], edges[1:]
        if zeros:
            low, high, share = (np.append(a, b) for a, b in (
                (0.0, low), (0.0, high), (zeros[way], share)))  # fmt: skip
        parts.append(pd.DataFrame({"way": way, "low": low, "high": high, "share": share}))
    return pd.concat(parts, ignore_index=True)


def marginal() -> pd.DataFrame:
    rows = [
        {"check": check, "problem": problem, "data": "random", "p": p,
         "difference": size * (problem + 1)}
        for check, size in (("identity", 1e-15), ("ridge", 2e-13))
        for problem in range(3)
        for p in (0.5, 0.8)
    ]  # fmt: skip
    rows.append({"check": "ridge", "problem": 0, "data": "digits", "p": 0.5, "difference": 3e-11})
    rows.append(
        {"check": "gaussian", "problem": 0, "data": "digits", "p": 0.5, "difference": 4e-12}
    )
    return pd.DataFrame(rows)


def marginal_path() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "p": p, "replicate": replicate, "updates": updates,
                "averaged": 3 * (1 + 0.1 * replicate) / np.sqrt(updates),
                "last": 0.3 + 2 / np.sqrt(updates),
            }
            for p in (0.5, 0.8)
            for replicate in range(2)
            for updates in (10, 50, 200, 1000, 5000)
        ]
    )  # fmt: skip


def convnet(nets: int) -> pd.DataFrame:
    rows = []
    for (data, way), mean in {
        ("svhn", "none"): 4.4, ("svhn", "everywhere"): 3.0, ("cifar10", "gaussian"): 14.0,
    }.items():  # fmt: skip
        part = errors("way", {way: mean}, nets, ())
        rows.append(part.assign(data=data))
    return pd.concat(rows, ignore_index=True)
