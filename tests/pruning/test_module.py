"""A torch module of one's own, pruned: saliencies against peers, masks, predictions, warnings."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrizations, prune

from oldschool.curvature import module as derivatives
from oldschool.curvature.downdate import ShrinkingInverse
from oldschool.curvature.memory import DoesNotFitError
from oldschool.errors import ConfigError, UserError
from oldschool.nets.from_module import NoRuleError
from oldschool.nets.parameters import UnmaskableError, evaluating, free_parameters
from oldschool.pruning.large import DriftError
from oldschool.pruning.look import METHODS
from oldschool.pruning.module import (
    NotAtMinimumWarning,
    Saliencies,
    prune_module,
    saliencies,
)

PREDICTING = [method for method in METHODS if method != "magnitude"]


class Residual(nn.Module):
    """No Sequential, with a BatchNorm, and a parameter of its own that two places hold."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.inner = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)
        self.again.weight = self.inner.weight
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.up(x))
        return x + self.scale * self.again(torch.tanh(self.inner(x)))


def mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2), nn.Sigmoid()).double()


def convolutional(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(2, 3, 2),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(12, 2),
    ).double()


def residual(seed: int = 0) -> Residual:
    torch.manual_seed(seed)
    model = Residual().double()
    model(torch.randn(20, 3, dtype=torch.float64))  # gives the norm its statistics
    return model


CASES = {
    "mlp": (mlp, (3,)),
    "convolutional": (convolutional, (1, 6, 6)),
    "residual": (residual, (3,)),
}


def data(model: nn.Module, shape: tuple[int, ...], samples: int = 30) -> tuple[Tensor, Tensor]:
    torch.manual_seed(99)
    x = torch.randn(samples, *shape, dtype=torch.float64)
    with torch.no_grad(), evaluating(model):
        outputs = model(x)
    return x, outputs + 0.1 * torch.randn_like(outputs)


def minimum(model: nn.Module, x: Tensor, t: Tensor) -> None:
    """Train to a minimum on these data."""
    model.eval()
    optimizer = torch.optim.LBFGS(
        model.parameters(),
        max_iter=1000,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-8,
        tolerance_change=0,
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        error = 0.5 * (model(x) - t).square().sum() / len(x)
        error.backward()
        return error

    optimizer.step(closure)


def quiet(model: nn.Module, x: Tensor, t: Tensor, method: str) -> Saliencies:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAtMinimumWarning)
        return saliencies(model, x, t, method)


def quietly_prune(*arguments: object, **settings: object):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAtMinimumWarning)
        return prune_module(*arguments, **settings)


def values_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in model.named_parameters()}


def jacobian(model: nn.Module, x: Tensor) -> Tensor:
    """do/dw as rows, (P K, n), in the order of named_parameters."""
    model = copy.deepcopy(model).eval()
    found = torch.func.jacrev(lambda leaves: functional_call(model, leaves, (x,)).flatten())(
        values_of(model)
    )
    return torch.cat([piece.flatten(1) for piece in found.values()], 1)


def by_backpack(model: nn.Module, x: Tensor, t: Tensor, full: bool) -> dict[str, Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backpack = pytest.importorskip("backpack")
        from backpack.extensions import DiagGGNExact, DiagHessian

        extended = backpack.extend(copy.deepcopy(model))
        loss = backpack.extend(nn.MSELoss(reduction="sum"))
        with backpack.backpack(DiagHessian() if full else DiagGGNExact()):
            loss(extended(x), t).backward()
    name = "diag_h" if full else "diag_ggn_exact"
    return {key: getattr(one, name) / (2 * len(x)) for key, one in extended.named_parameters()}


@pytest.mark.parametrize("method", ["obd", "obd_full", "gauss_newton"])
def test_saliencies_of_one_hidden_layer_are_those_of_backpack(method):
    model = mlp()
    x, t = data(model, (3,))
    found = quiet(model, x, t, method).values
    diagonal = by_backpack(model, x, t, full=method == "obd_full")
    assert list(found) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for name, w in model.named_parameters():
        torch.testing.assert_close(found[name], 0.5 * diagonal[name] * w.detach().square())


def test_saliencies_of_one_hidden_layer_are_those_of_torch_func():
    model = mlp()
    x, t = data(model, (3,))

    def error(leaves: dict[str, Tensor]) -> Tensor:
        return 0.5 * (functional_call(model, leaves, (x,)) - t).square().sum() / len(x)

    w = values_of(model)
    hessian = torch.func.hessian(error)(w)
    for name, found in quiet(model, x, t, "obd_full").values.items():
        diagonal = hessian[name][name].reshape(found.numel(), -1).diagonal().view(found.shape)
        torch.testing.assert_close(found, 0.5 * diagonal * w[name].square())


def test_gauss_newton_of_shared_weights_is_that_of_backpack():
    # Without averages, which BackPACK has in float32 alone.
    model = nn.Sequential(*(one for one in convolutional()[:-1] if type(one) is not nn.AvgPool2d))
    x, t = data(model, (1, 6, 6))
    found, diagonal = quiet(model, x, t, "gauss_newton").values, by_backpack(model, x, t, False)
    for name, w in model.named_parameters():
        torch.testing.assert_close(found[name], 0.5 * diagonal[name] * w.detach().square())


@pytest.mark.parametrize("case", CASES)
def test_gauss_newton_and_obs_are_those_of_the_whole_jacobian(case):
    make, shape = CASES[case]
    model, alpha = make(), 1e-3
    x, t = data(model, shape)
    rows = jacobian(model, x)
    w = torch.cat([one.flatten() for one in values_of(model).values()])
    hessian = rows.T @ rows / len(x)
    found = quiet(model, x, t, "gauss_newton").values
    flat = torch.cat([piece.flatten() for piece in found.values()])
    torch.testing.assert_close(flat, 0.5 * hessian.diagonal() * w**2, atol=1e-13, rtol=1e-8)
    inverse = torch.linalg.inv(hessian + alpha * torch.eye(len(w), dtype=torch.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAtMinimumWarning)
        surgery = saliencies(model, x, t, "obs", alpha=alpha).values
    flat = torch.cat([piece.flatten() for piece in surgery.values()])
    torch.testing.assert_close(flat, w**2 / (2 * inverse.diagonal()), atol=1e-13, rtol=1e-8)


def test_blocks_of_any_size_are_the_same_rows():
    model = convolutional()
    x, _ = data(model, (1, 6, 6), samples=5)
    parameters = free_parameters(model)
    whole = torch.cat(list(derivatives.gradient_blocks(model, parameters, x)))
    torch.testing.assert_close(whole, jacobian(model, x))
    for held in (1, 150, 400):
        blocks = list(derivatives.gradient_blocks(model, parameters, x, held=held))
        rows = torch.cat(blocks)
        assert len(blocks) > 1
        torch.testing.assert_close(rows.norm(dim=1).sort().values, whole.norm(dim=1).sort().values)
        torch.testing.assert_close(rows.T @ rows, whole.T @ whole)


def test_a_tied_parameter_has_the_sum_over_its_places():
    layer = nn.Linear(3, 3).double()
    model = nn.Sequential(layer, nn.Tanh(), layer)
    x, t = data(model, (3,))
    apart = nn.Sequential(copy.deepcopy(layer), nn.Tanh(), copy.deepcopy(layer))
    tied, two = quiet(model, x, t, "obd").values, quiet(apart, x, t, "obd").values
    assert list(tied) == ["0.weight", "0.bias"]
    torch.testing.assert_close(tied["0.weight"], two["0.weight"] + two["2.weight"])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", METHODS)
def test_a_pruned_model_has_its_zeros_and_keeps_them(case, method):
    make, shape = CASES[case]
    model = make().train()
    x, t = data(model, shape)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, weight_decay=0.01)
    if case == "residual" and method.startswith("obd"):
        with pytest.raises(NoRuleError, match="Residual, which is no"):
            prune_module(model, x, t, method=method)
        assert "up.weight" in dict(model.named_parameters())
        return
    total = sum(one.numel() for one in model.parameters())
    report = quietly_prune(model, x, t, 0.4, method)
    assert sum(report.deleted.values()) == round(0.4 * total)
    assert sum(report.left.values()) == total - round(0.4 * total)
    assert model.training

    def zeros() -> int:
        return sum(int((one.value == 0).sum()) for one in free_parameters(model))

    assert zeros() == round(0.4 * total)
    for _ in range(3):
        optimizer.zero_grad()
        (model(x) - t).square().sum().backward()
        optimizer.step()
    model(x)
    assert zeros() == round(0.4 * total)
    further = quietly_prune(model, x, t, 0.5, method)
    assert sum(further.deleted.values()) == round(0.5 * total) - round(0.4 * total)
    assert not any(quietly_prune(model, x, t, 0.2, method).deleted.values())
    assert zeros() == round(0.5 * total)

    outputs = model.eval()(x)
    for one in free_parameters(model):
        for owner, attribute in one.owners:
            if prune.is_pruned(owner) and hasattr(owner, f"{attribute}_mask"):
                prune.remove(owner, attribute)
    torch.testing.assert_close(model(x), outputs)
    assert not any(name.endswith("_orig") for name, _ in model.named_parameters())


@pytest.mark.parametrize("method", METHODS)
def test_a_mask_counts_and_its_weights_are_out_of_the_game(method):
    model = mlp()
    prune.custom_from_mask(model[0], "weight", torch.arange(15).view(5, 3) >= 4)
    x, t = data(model, (3,))
    found = quiet(model, x, t, method)
    assert (found.values["0.weight"].flatten()[:4] == 0).all()
    assert (found.values["0.weight"].flatten()[4:] > 0).all() or method == "obd_full"
    report = quietly_prune(model, x, t, 10 / 32, method)
    assert sum(report.deleted.values()) == 6
    assert report.left["0.weight"] + report.deleted["0.weight"] == 11
    assert not model[0].weight_mask.flatten()[:4].any()


def test_the_least_salient_go_and_the_prediction_is_their_sum():
    model = convolutional()
    x, t = data(model, (1, 6, 6))
    values = quiet(model, x, t, "obd").values
    flat = torch.cat([piece.flatten() for piece in values.values()])
    before = values_of(model)
    report = quietly_prune(model, x, t, 0.25, "obd")
    count = round(0.25 * len(flat))
    assert report.predicted == pytest.approx(float(flat.sort().values[:count].sum()))
    for one in free_parameters(model):
        threshold = flat.sort().values[count]
        assert torch.equal(one.kept, values[one.name] >= threshold)
        assert torch.equal(one.leaf, before[one.name])  # deleted, not forgotten


@pytest.mark.parametrize("method", METHODS)
def test_a_model_may_lose_everything(method):
    model = mlp()
    x, t = data(model, (3,))
    quietly_prune(model, x, t, 1.0, method)
    assert not any(one.value.any() for one in free_parameters(model))
    again = quietly_prune(model, x, t, 1.0, method)
    assert sum(again.deleted.values()) == sum(again.left.values()) == 0


def test_biases_can_be_left_out():
    model = mlp()
    x, t = data(model, (3,))
    report = quietly_prune(model, x, t, 1.0, "obs", biases=False)
    assert report.left == {"0.weight": 0, "0.bias": 5, "2.weight": 0, "2.bias": 2}
    assert "0.bias" in dict(model.named_parameters())


def test_parameters_that_are_not_trained_stay_as_they_are():
    model = mlp()
    model[0].requires_grad_(False)
    x, t = data(model, (3,))
    before = model[0].weight.clone()
    for method in METHODS:
        pruned = copy.deepcopy(model)
        assert list(quietly_prune(pruned, x, t, 0.5, method).deleted) == ["2.weight", "2.bias"]
        assert torch.equal(pruned[0].weight, before)


def test_the_rise_that_obs_predicts_is_exact_for_a_linear_model():
    torch.manual_seed(0)
    model = nn.Linear(6, 2).double()
    x, t = data(model, (6,), samples=50)
    minimum(model, x, t)
    report = prune_module(model, x, t, 0.5, "obs", alpha=1e-12)
    assert sum(report.deleted.values()) == 7
    assert report.error_after - report.error == pytest.approx(report.predicted, rel=1e-6)
    # And no other weights left would do better: the gradient of those is nought.
    gradient = derivatives.error_and_gradient(model, free_parameters(model), x, t)[1]
    assert float(gradient.norm()) < 1e-6


def test_obs_one_by_one_is_the_formula_with_a_new_inverse_each_time():
    model, alpha = convolutional(), 1e-3
    x, t = data(model, (1, 6, 6))
    rows = jacobian(model, x)
    w = torch.cat([one.flatten() for one in values_of(model).values()])
    hessian = rows.T @ rows / len(x) + alpha * torch.eye(len(w), dtype=torch.float64)
    left, predicted = list(range(len(w))), 0.0
    for _ in range(20):
        inverse = torch.linalg.inv(hessian[left][:, left])
        loss = w[left] ** 2 / (2 * inverse.diagonal())
        q = int(loss.argmin())
        predicted += float(loss[q])
        w[left] -= w[left][q] / inverse[q, q] * inverse[:, q]
        w[left.pop(q)] = 0.0
    report = quietly_prune(model, x, t, 20 / len(w), "obs", alpha=alpha)
    assert report.predicted == pytest.approx(predicted, rel=1e-8)
    found = torch.cat([one.value.flatten() for one in free_parameters(model)])
    parameters = {one.name: one.value for one in free_parameters(model)}
    found = torch.cat([parameters[name].flatten() for name in values_of(convolutional())])
    torch.testing.assert_close(found, w, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("method", PREDICTING)
def test_an_untrained_net_is_warned_of_and_one_at_a_minimum_is_not(method):
    model = mlp()
    x, _ = data(model, (3,))
    t = torch.stack([x[:, 0] > x[:, 1], x[:, 2] > 0], 1).double() * 0.6 + 0.2
    t = t + 0.1 * torch.randn(t.shape, generator=torch.Generator().manual_seed(0))
    with pytest.warns(NotAtMinimumWarning, match=r"\|dE/dw\| = .*times as large") as seen:
        untrained = saliencies(model, x, t, method)
    assert seen[0].filename == __file__
    assert untrained.ratio > 1
    with pytest.warns(NotAtMinimumWarning) as seen:
        report = prune_module(copy.deepcopy(model), x, t, method=method)
    assert report.warning == str(seen[0].message)
    assert "\n" not in report.warning
    minimum(model, x, t)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained = saliencies(model, x, t, method)
        report = prune_module(model, x, t, method=method)
    assert trained.ratio < 0.01 * untrained.ratio
    assert report.warning is None
    assert trained.gradient_norm == report.gradient_norm < 1e-3 * untrained.gradient_norm
    assert abs(report.first_order) < report.error


@pytest.mark.parametrize("method", ["obd", "obd_full", "gauss_newton"])
def test_the_size_that_is_warned_of_has_no_units(method):
    """Errors in other units, and a hidden layer in other units, change nothing."""
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)).double()
    x, t = data(model, (3,))
    scaled = copy.deepcopy(model)
    with torch.no_grad():
        scaled[0].weight *= 4.0
        scaled[0].bias *= 4.0
        scaled[2].weight *= 100.0 / 4.0
        scaled[2].bias *= 100.0
    ratio = quiet(model, x, t, method).ratio
    assert quiet(scaled, x, 100.0 * t, method).ratio == pytest.approx(ratio)


def test_magnitude_warns_of_nothing_and_predicts_nothing():
    model = mlp()
    x, t = data(model, (3,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = saliencies(model, x, t, "magnitude")
        report = prune_module(model, x, t, method="magnitude")
    assert math.isnan(found.ratio)
    assert math.isnan(report.predicted)
    assert found.gradient_norm > 0


def test_gradient_norm_and_errors_are_those_of_autograd():
    model = convolutional().train()
    x, t = data(model, (1, 6, 6), samples=300)
    found = quiet(model, x, t, "obd")
    error = 0.5 * (model(x) - t).square().sum() / len(x)
    gradients = torch.autograd.grad(error, list(model.parameters()))
    assert found.error == pytest.approx(float(error.detach()))
    assert found.gradient_norm == pytest.approx(
        float(torch.cat([one.flatten() for one in gradients]).norm())
    )
    report = quietly_prune(model, x, t)
    after = 0.5 * (model(x) - t).detach().square().sum() / len(x)
    assert report.error_after == pytest.approx(float(after))


def test_float32_models_stay_float32():
    model = convolutional().float()
    x, t = (one.float() for one in data(convolutional(), (1, 6, 6)))
    for method in METHODS:
        one = copy.deepcopy(model)
        report = quietly_prune(one, x, t, 0.3, method)
        assert math.isfinite(report.error_after)
        assert one(x).dtype == torch.float32


def test_what_is_wrong_is_said_in_one_line(monkeypatch):
    model = mlp()
    x, t = data(model, (3,))
    refused: list[tuple[type[Exception], str, object]] = [
        (ConfigError, "method=odb: must be one of magnitude, obd,", {"method": "odb"}),
        (ConfigError, "share=30: must be from 0 to 1", {"share": 30}),
        (ConfigError, "alpha=0: must be above 0", {"alpha": 0}),
    ]
    for kind, line, settings in refused:
        with pytest.raises(kind, match=line):
            prune_module(model, x, t, **settings)
    with pytest.raises(ValueError, match=r"targets of shape \(30,\) for outputs of .* \(30, 2\)"):
        saliencies(model, x, t[:, 0])
    with pytest.raises(ValueError, match="29 targets for 30 samples"):
        saliencies(model, x, t[1:])
    with pytest.raises(UserError, match=r"E = nan .* is not a finite number"):
        saliencies(model, x, t * torch.nan)
    with pytest.raises(UnmaskableError, match="no parameters that require a gradient"):
        saliencies(copy.deepcopy(model).requires_grad_(False), x, t)
    with pytest.raises(UnmaskableError, match=r"0 \(ParametrizedLinear\) is parametrized: call"):
        saliencies(nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 2))), x, t)
    with pytest.raises(UnmaskableError, match=r"1 \(LSTM\) reads its parameters past the hooks"):
        saliencies(nn.Sequential(nn.Linear(3, 2), nn.LSTM(2, 2)), x, t, "magnitude")
    monkeypatch.setattr("oldschool.curvature.memory.free_memory", lambda device: 1000)
    with pytest.raises(DoesNotFitError, match="Optimal Brain Surgeon of 32 weights takes"):
        saliencies(model, x, t, "obs")
    assert not prune.is_pruned(model)


@pytest.mark.parametrize("alpha", [1e-15, 1e-17])
def test_an_inverse_that_is_none_is_refused_and_the_model_left_alone(alpha):
    torch.manual_seed(0)
    model = nn.Linear(6, 1).double()
    x, t = data(model, (6,))
    x[:, 1] = x[:, 0]  # H has no inverse, and alpha is lost in its rounding
    before = copy.deepcopy(model.state_dict())
    for use in (saliencies, prune_module):
        with pytest.raises(DriftError, match=f"alpha={alpha} is no inverse: take a larger alpha"):
            use(model, x, t, method="obs", alpha=alpha)
    assert all(torch.equal(before[key], one) for key, one in model.state_dict().items())


def test_downdates_that_have_drifted_are_refused(monkeypatch):
    model = mlp()
    x, t = data(model, (3,))
    delete = ShrinkingInverse.delete
    monkeypatch.setattr(
        ShrinkingInverse, "delete", lambda self, q, column: delete(self, q, 0.9 * column)
    )
    with pytest.raises(DriftError, match="no inverse"):
        quietly_prune(model, x, t, 0.5, "obs")
    assert not prune.is_pruned(model)


@pytest.fixture
def trained() -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
    model = mlp()
    x, t = data(model, (3,))
    minimum(model, x, t)
    yield model, x, t


def test_three_lines(trained):
    model, x, t = trained
    report = prune_module(model, x, t, share=0.3)
    first, *rest = str(report).splitlines()
    assert first.startswith("obd: 10 of 32 weights deleted, E ")
    assert len(rest) == 4
    assert rest[0].startswith("  0.weight: ")
