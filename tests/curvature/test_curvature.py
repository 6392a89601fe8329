"""Second derivatives: every form against automatic differentiation and against two peers."""

import warnings

import pytest
import torch

from oldschool.curvature.diagonal import backpropagated_diagonal
from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.curvature.hessian import autodiff_hessian, hessian
from oldschool.curvature.inverse import damped_inverse, recursive_inverse
from oldschool.data.task import Task
from oldschool.nets.error import CROSS_ENTROPY, SQUARED
from oldschool.nets.mlp import Mlp
from tests.problems import ARCHITECTURES, as_module, own_tasks, task_for, weights_for

ONE_HIDDEN_LAYER = [net for net in ARCHITECTURES if len(net.sizes) == 3]


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
def test_output_gradients_are_those_of_torch_func(net):
    theta, task = weights_for(net), task_for(net)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda w: net.outputs(w[None], task.x)[0]))(theta)
    torch.testing.assert_close(output_gradients(net, theta, task.x), jacobian.permute(0, 3, 1, 2))


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
def test_closed_form_hessian_is_that_of_torch_func(net):
    theta, task = weights_for(net), task_for(net)
    torch.testing.assert_close(
        hessian(net, theta, task), autodiff_hessian(net, theta, task), atol=1e-14, rtol=1e-10
    )


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
def test_nets_with_data_of_their_own_have_the_derivatives_of_each_alone(net):
    theta, tasks = weights_for(net), own_tasks(net, 3)
    whole, gradients = hessian(net, theta, tasks), output_gradients(net, theta, tasks.x)
    diagonal = backpropagated_diagonal(net, theta, tasks)
    for row in range(3):
        one, task = theta[row : row + 1], Task(tasks.x[row], tasks.t[row])
        expected = autodiff_hessian(net, one, task)[0]
        torch.testing.assert_close(whole[row], expected, atol=1e-14, rtol=1e-10)
        torch.testing.assert_close(gradients[row], output_gradients(net, one, task.x)[0])
        torch.testing.assert_close(diagonal[row], backpropagated_diagonal(net, one, task)[0])


CLASSIFIERS = [net for net in ARCHITECTURES if net.output == "logistic"]


@pytest.mark.parametrize("net", CLASSIFIERS, ids=str)
def test_derivatives_of_the_cross_entropy_are_those_of_torch_func(net):
    theta, task = weights_for(net), task_for(net)

    def one(w: torch.Tensor) -> torch.Tensor:
        return CROSS_ENTROPY.value(net.outputs(w[None], task.x), task.t)[0]

    expected = torch.func.vmap(torch.func.hessian(one))(theta)
    found = hessian(net, theta, task, CROSS_ENTROPY)
    torch.testing.assert_close(found, expected, atol=1e-13, rtol=1e-9)
    if len(net.sizes) == 3:
        diagonal = backpropagated_diagonal(net, theta, task, error=CROSS_ENTROPY)
        torch.testing.assert_close(diagonal, expected.diagonal(dim1=1, dim2=2))


def test_gauss_newton_of_the_cross_entropy_is_that_of_curvlinops():
    curvlinops = pytest.importorskip("curvlinops")
    net = Mlp((4, 3, 2), "tanh", "logistic")
    theta, task = weights_for(net, 1), task_for(net)
    module = as_module(net, theta[0])[:-1]  # the loss has the logistic function in it
    operator = curvlinops.GGNLinearOperator(
        module,
        torch.nn.BCEWithLogitsLoss(reduction="sum"),
        list(module.parameters()),
        [(task.x, task.t)],
    )
    theirs = torch.as_tensor(operator @ torch.eye(net.weights, dtype=torch.float64))
    ours = gauss_newton(output_gradients(net, theta, task.x, CROSS_ENTROPY))[0]
    torch.testing.assert_close(len(task) * ours, theirs)
    diagonal = backpropagated_diagonal(
        net, theta, task, levenberg_marquardt=True, error=CROSS_ENTROPY
    )
    torch.testing.assert_close(len(task) * diagonal[0], theirs.diagonal())


@pytest.mark.parametrize("error", [SQUARED, CROSS_ENTROPY], ids=lambda error: error.name)
def test_the_recursion_of_nips_6_gives_the_same_inverse(error):
    """H^-1 <- H^-1 - H^-1 X X^T H^-1 / (P / a + X^T H^-1 X), one step a sample and output."""
    net, alpha = CLASSIFIERS[1], 1e-4
    theta, task = weights_for(net, 1), task_for(net, 50)
    outputs = net.outputs(theta, task.x)
    x = output_gradients(net, theta, task.x)[0].flatten(1)  # plain X, by output and sample
    weights = error.weight(outputs)[0].flatten()
    inverse = torch.eye(net.weights, dtype=torch.float64) / alpha
    for column, a in zip(x.T, weights, strict=True):
        hx = inverse @ column
        inverse = inverse - torch.outer(hx, hx) / (len(task) / a + column @ hx)
    ours = damped_inverse(gauss_newton(output_gradients(net, theta, task.x, error)), alpha)[0]
    torch.testing.assert_close(ours, inverse, atol=1e-6, rtol=1e-7)


def test_closed_form_hessian_by_finite_differences_of_the_gradient():
    from oldschool.training.objective import Objective

    net = ARCHITECTURES[3]
    theta, task = weights_for(net, 1), task_for(net)
    objective, step = Objective(net, task), 1e-6
    columns = []
    for k in range(net.weights):
        shift = torch.zeros_like(theta)
        shift[0, k] = step
        up = objective.value_and_gradient(theta + shift)[1]
        down = objective.value_and_gradient(theta - shift)[1]
        columns.append((up - down)[0] / (2 * step))
    torch.testing.assert_close(
        hessian(net, theta, task)[0], torch.stack(columns), atol=1e-8, rtol=1e-6
    )


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
def test_gauss_newton_is_the_hessian_where_the_error_is_zero(net):
    theta, task = weights_for(net), task_for(net)
    for row in range(len(theta)):
        one = theta[row : row + 1]
        perfect = Task(task.x, net.outputs(one, task.x)[0].T)
        matrix = gauss_newton(output_gradients(net, one, task.x))
        torch.testing.assert_close(
            matrix, autodiff_hessian(net, one, perfect), atol=1e-13, rtol=1e-9
        )


@pytest.mark.parametrize("net", ONE_HIDDEN_LAYER, ids=str)
def test_diagonal_by_backpropagation_is_exact_for_one_hidden_layer(net):
    theta, task = weights_for(net), task_for(net)
    exact = autodiff_hessian(net, theta, task).diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(
        backpropagated_diagonal(net, theta, task), exact, atol=1e-14, rtol=1e-10
    )
    matrix = gauss_newton(output_gradients(net, theta, task.x))
    torch.testing.assert_close(
        backpropagated_diagonal(net, theta, task, levenberg_marquardt=True),
        matrix.diagonal(dim1=1, dim2=2),
        atol=1e-14,
        rtol=1e-10,
    )


def test_diagonal_with_more_layers_is_an_approximation_and_lm_is_never_negative():
    net = ARCHITECTURES[4]
    theta, task = weights_for(net, 20), task_for(net)
    exact = autodiff_hessian(net, theta, task).diagonal(dim1=1, dim2=2)
    ours = backpropagated_diagonal(net, theta, task)
    top = net.layers[-1].weights
    torch.testing.assert_close(ours[:, top], exact[:, top])  # exact where nothing was dropped
    assert float((ours - exact).abs().max()) > 1e-6
    assert bool((backpropagated_diagonal(net, theta, task, levenberg_marquardt=True) >= 0).all())


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("alpha", [1e-8, 1e-6, 1e-4])
def test_recursion_and_batch_and_direct_inverse_agree(net, alpha):
    theta, task = weights_for(net), task_for(net, samples=200)
    x = output_gradients(net, theta, task.x)
    batch = damped_inverse(gauss_newton(x), alpha)
    eye = torch.eye(net.weights, dtype=torch.float64)
    for row in range(len(theta)):
        reference = recursive_inverse(x[row], alpha)
        direct = torch.linalg.inv(gauss_newton(x)[row] + alpha * eye)
        scale = float(direct.abs().max())
        # cond(H + alpha I) reaches 1/alpha: agreement is to that many digits fewer
        tolerance = scale * 1e-15 / alpha
        torch.testing.assert_close(batch[row], direct, atol=tolerance, rtol=1e-7)
        torch.testing.assert_close(reference, direct, atol=tolerance, rtol=1e-7)


def test_alpha_must_be_positive_in_the_recursion():
    with pytest.raises(ValueError, match="alpha must be positive"):
        recursive_inverse(torch.ones(2, 1, 3), 0.0)


def test_an_indefinite_matrix_gives_nan_not_a_silent_damping():
    good = torch.eye(3, dtype=torch.float64)
    bad = torch.diag(torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64))
    inverse = damped_inverse(torch.stack([good, bad]), 1e-6)
    assert bool(inverse[0].isfinite().all())
    assert bool(inverse[1].isnan().all())


def test_gauss_newton_is_that_of_curvlinops():
    curvlinops = pytest.importorskip("curvlinops")
    net = Mlp((4, 3, 2), "tanh", "linear")
    theta, task = weights_for(net, 1), task_for(net)
    module = as_module(net, theta[0])
    operator = curvlinops.GGNLinearOperator(
        module, torch.nn.MSELoss(reduction="sum"), list(module.parameters()), [(task.x, task.t)]
    )
    eye = torch.eye(net.weights, dtype=torch.float64)
    theirs = operator @ eye
    ours = gauss_newton(output_gradients(net, theta, task.x))[0]
    # theirs is of the summed squared error, 2 J^T J; ours is 1/P J^T J
    torch.testing.assert_close(2 * len(task) * ours, torch.as_tensor(theirs))


@pytest.mark.parametrize("levenberg_marquardt", [False, True])
def test_diagonals_are_those_of_backpack(levenberg_marquardt):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backpack = pytest.importorskip("backpack")
        from backpack.extensions import DiagGGNExact, DiagHessian
    net = Mlp((4, 3, 2), "tanh", "logistic")
    theta, task = weights_for(net, 1), task_for(net)
    module = backpack.extend(as_module(net, theta[0]))
    loss = backpack.extend(torch.nn.MSELoss(reduction="sum"))
    extension = DiagGGNExact() if levenberg_marquardt else DiagHessian()
    with warnings.catch_warnings(), backpack.backpack(extension):
        warnings.simplefilter("ignore")
        loss(module(task.x), task.t).backward()
    name = "diag_ggn_exact" if levenberg_marquardt else "diag_h"
    theirs = torch.cat([getattr(p, name).flatten() for p in module.parameters()])
    ours = backpropagated_diagonal(net, theta, task, levenberg_marquardt=levenberg_marquardt)[0]
    torch.testing.assert_close(2 * len(task) * ours, theirs)
