"""A torch module as a net of planes: the same outputs, the same weights, or one clear line."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from oldschool.errors import UserError
from oldschool.nets.from_module import NoRuleError, stack_of, translate

SHAPE = (2, 9, 8)


class Own(nn.Sequential):
    """A class of one's own that computes what a Sequential does."""


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(x)


TWICE = nn.Tanh()
MODULES = {
    "dense": (nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3), nn.Sigmoid()), (5,)),
    "one linear": (nn.Linear(5, 2), (5,)),
    "no biases": (nn.Sequential(nn.Linear(5, 4, bias=False), nn.ReLU(), nn.Linear(4, 3)), (5,)),
    "linear on linear": (nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), (5,)),
    "transfer twice": (nn.Sequential(nn.Linear(5, 4), TWICE, nn.Linear(4, 3), TWICE), (5,)),
    "transfers alone": (nn.Sequential(nn.Sigmoid(), nn.ReLU(), nn.Tanh(), nn.Linear(5, 1)), (5,)),
    "planes": (
        nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(4, 6, 2, padding="valid", groups=2, bias=False),
            nn.Tanh(),
        ),
        SHAPE,
    ),
    "depthwise": (nn.Sequential(nn.Conv2d(2, 6, (2, 2), (3, 3), groups=2), nn.Sigmoid()), SHAPE),
    "average first": (
        nn.Sequential(nn.AvgPool2d((3, 3)), nn.Tanh(), nn.Flatten(), nn.Linear(6, 2)),
        (1, 9, 6),
    ),
    "divisor": (nn.Sequential(nn.AvgPool2d(2, divisor_override=3), nn.Conv2d(2, 1, 2)), (2, 8, 8)),
    "nested": (
        Own(
            nn.Unflatten(1, (2, 6, 6)),
            nn.Identity(),
            nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), Own(nn.Tanh(), nn.AvgPool2d(2))),
            nn.Dropout(),
            nn.Dropout2d(0.3),
            nn.Flatten(),
            nn.Linear(16, 3),
        ),
        (72,),
    ),
}
each_module = pytest.mark.parametrize(("module", "shape"), MODULES.values(), ids=MODULES)


@each_module
@pytest.mark.parametrize("seed", [0, 1])
def test_outputs_are_those_of_the_module(module, shape, seed):
    torch.manual_seed(seed)
    module = module.double().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(4, *shape, dtype=torch.float64)
    net, theta = stack_of(module, shape)
    assert theta.shape == (1, net.weights)
    torch.testing.assert_close(net.outputs(theta, x.flatten(1))[0].T, module(x).detach().flatten(1))


@each_module
def test_each_parameter_has_its_place_in_the_order_of_its_own(module, shape):
    found = translate(module, shape)
    parameters = dict(module.named_parameters())
    pieces = found.by_parameter(found.theta[0])
    assert pieces.keys() == parameters.keys()
    for name, piece in pieces.items():
        assert torch.equal(piece, parameters[name])
    held = sum(
        len(range(net.weights)[where]) for net in [found.net] for where, _ in found.places.values()
    )
    assert held == sum(one.numel() for one in module.parameters())


def test_dtype_and_modes_stay_as_they_were():
    module = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(8, 2)).bfloat16()
    module[2].eval()
    assert stack_of(module, (2, 4, 4))[1].dtype == torch.bfloat16
    assert [one.training for one in module.modules()] == [True, True, True, False, True]


def test_masked_weights_are_nought_as_the_forward_pass_has_them():
    module = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    prune.random_unstructured(module[0], "weight", 0.5)
    prune.random_unstructured(module[2], "bias", 1)
    x = torch.randn(6, 5, dtype=torch.float64)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, weight_decay=0.1)
    module(x).square().sum().backward()
    optimizer.step()  # module[0].weight is now behind module[0].weight_orig
    found = translate(module, (5,))
    torch.testing.assert_close(found.net.outputs(found.theta, x)[0].T, module(x).detach())
    assert set(found.places) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_a_layer_used_twice_has_two_places():
    layer = nn.Linear(3, 3)
    found = translate(nn.Sequential(layer, nn.Tanh(), layer), (3,))
    assert set(found.places) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert found.net.weights == 24


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (nn.BatchNorm2d(2), r"1\.0 \(BatchNorm2d\): fold it into the layer before it, or use meth"),
        (nn.MaxPool2d(2), r"1\.0 \(MaxPool2d\): take AvgPool2d in its place, or use method="),
        (nn.Softmax(1), r"1\.0 \(Softmax\): use method=\"gauss_newton\", which needs none"),
        (Residual(), r"1\.0 \(Residual\), which is no torch\.nn\.Sequential: use method="),
        (nn.Linear(8, 2), r"1\.0 \(Linear\), which reads the last .* put a Flatten before it"),
        (nn.Conv2d(2, 2, (1, 2)), r"1\.0 \(Conv2d\) with kernel_size=\(1, 2\): "),
        (nn.Conv2d(2, 2, 3, dilation=2), r"with dilation=\(2, 2\): "),
        (nn.Conv2d(2, 2, 3, padding="same"), r"with padding='same': "),
        (nn.Conv2d(2, 2, 3, 1, 1, padding_mode="circular"), r"with padding_mode='circular': "),
        (nn.AvgPool2d(3, 2), r"1\.0 \(AvgPool2d\) with kernel_size=3, stride=2, padding=0: "),
        (nn.AvgPool2d(5), r"1\.0 \(AvgPool2d\) that leaves a rest of \(2, 8, 8\): "),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_layer_without_a_rule_is_named_in_one_line(layer, line):
    module = nn.Sequential(nn.Identity(), nn.Sequential(layer))
    with pytest.raises(NoRuleError, match=line) as raised:
        translate(module, (2, 8, 8))
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, UserError)


def test_a_module_that_is_no_sequential_or_has_no_weights_is_named():
    with pytest.raises(NoRuleError, match=r"for Residual, which is no torch\.nn\.Sequential"):
        translate(Residual(), (4,))
    with pytest.raises(NoRuleError, match="Sequential has no layer with weights"):
        translate(nn.Sequential(nn.Flatten()), (4,))


def test_a_class_that_computes_something_of_its_own_is_not_taken_for_its_parent():
    class Scaled(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    with pytest.raises(NoRuleError, match=r"0 \(Scaled\)"):
        translate(nn.Sequential(Scaled(3, 2)), (3,))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.Linear(3, 2), (4,)), (nn.Conv2d(3, 1, 2), SHAPE), (nn.Conv2d(2, 1, 2), (2,))],
)
def test_a_shape_that_does_not_fit_is_refused(layer, shape):
    with pytest.raises(ValueError, match=r"0 \(.*\) does not fit samples of shape"):
        translate(nn.Sequential(layer), shape)
    with pytest.raises(ValueError, match=r"0 \(Flatten\) makes one of several samples"):
        translate(nn.Sequential(nn.Flatten(0)), shape)
