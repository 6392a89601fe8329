"""One large net: every form of H and of its inverse against the others and against peers."""

import pytest
import torch

from oldschool.curvature import memory, symmetric
from oldschool.curvature.blocks import gradient_blocks
from oldschool.curvature.downdate import ShrinkingInverse, downdate
from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.curvature.inverse import (
    blocked_inverse,
    direct_inverse,
    gram,
    recursive_inverse,
)
from oldschool.curvature.memory import DoesNotFitError, free_memory, require_memory
from oldschool.curvature.product import gauss_newton_product
from oldschool.curvature.sparse_inputs import active_pairs, sparse_gauss_newton
from oldschool.nets.mlp import Mlp
from tests.problems import ARCHITECTURES, as_module, generator, task_for, weights_for

SIZES = [Mlp((3, 2), "tanh", "logistic"), Mlp((12, 5, 3), "logistic", "logistic"), Mlp((20, 9, 4))]
F64, F32 = torch.float64, torch.float32


def positive(n: int, dtype: torch.dtype = F64) -> torch.Tensor:
    x = torch.randn(n, 2 * n, generator=generator(n), dtype=F64)
    return (x @ x.T / n + 0.1 * torch.eye(n, dtype=F64)).to(dtype)


def sparse_x(samples: int, inputs: int, seed: int = 0) -> torch.Tensor:
    random = generator(seed)
    on = torch.rand(samples, inputs, generator=random) < 0.2
    return on * torch.randn(samples, inputs, generator=random, dtype=F64)


@pytest.fixture(params=["blas", "torch", "large"])
def backend(request, monkeypatch):
    """All ways through ``symmetric``: scipy's BLAS, torch as on other devices, in parts."""
    if request.param == "torch":
        monkeypatch.setattr(symmetric, "_scipy", lambda *_: None)
    if request.param == "large":
        monkeypatch.setattr(symmetric, "_BLAS_ROWS", 20)
        monkeypatch.setattr(symmetric, "_STRIPE", 8)


@pytest.mark.parametrize("dtype", [F64, F32])
@pytest.mark.parametrize("n", [1, 7, 1500])
def test_symmetric_operations_are_those_on_whole_matrices(backend, dtype, n):
    matrix, tolerance = positive(n, dtype), 1e-11 if dtype == F64 else 1e-2
    rows = torch.randn(5, n, generator=generator(1), dtype=dtype)
    torch.testing.assert_close(
        symmetric.times(rows, matrix), rows @ matrix, rtol=tolerance, atol=tolerance
    )
    torch.testing.assert_close(
        symmetric.times(rows[:1], matrix), rows[:1] @ matrix, rtol=tolerance, atol=tolerance
    )
    expected = matrix - 0.5 * rows.T @ rows
    found = matrix.clone()
    symmetric.add_outer(found, rows, -0.5)
    torch.testing.assert_close(symmetric.row(found, n // 2), expected[n // 2])
    torch.testing.assert_close(symmetric.fill(found), expected)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(
        symmetric.inner(rows, rows[:, :1] * rows),
        rows @ (rows[:, :1] * rows).mT,
        rtol=4 * eps,
        atol=4 * n * eps,  # of sums of n products of about 1
    )
    small = positive(5, dtype)
    divided = symmetric.divide_by_root(small.clone(), rows.clone())
    assert divided.is_contiguous()
    torch.testing.assert_close(divided, torch.linalg.cholesky(small).inverse() @ rows)
    assert symmetric.divide_by_root(-small, rows.clone()).isnan().all()
    inverse = matrix.clone()
    assert symmetric.invert(inverse)
    product = symmetric.fill(inverse) @ matrix
    torch.testing.assert_close(product, torch.eye(n, dtype=dtype), rtol=0, atol=tolerance)


def test_blas_works_on_the_upper_triangle_alone_and_in_place():
    matrix = positive(50)
    lower_is_rubbish = matrix.triu() + 1e9 * torch.ones(50, 50, dtype=F64).tril(-1)
    place = lower_is_rubbish.data_ptr()
    assert symmetric.invert(lower_is_rubbish)
    assert lower_is_rubbish.data_ptr() == place
    torch.testing.assert_close(symmetric.fill(lower_is_rubbish), torch.linalg.inv(matrix))


def test_what_is_not_positive_definite_has_no_inverse(backend):
    matrix = torch.diag(torch.tensor([1.0, -1.0, 2.0], dtype=F64))
    assert not symmetric.invert(matrix)
    assert bool(matrix.isnan().all())


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_blocks_are_the_gradients_in_order(net, rows):
    theta, task = weights_for(net, 1)[0], task_for(net)
    blocks = list(gradient_blocks(net, theta, task.x, rows))
    assert all(len(block) <= max(rows, net.sizes[-1]) for block in blocks)
    whole = output_gradients(net, theta[None], task.x)[0]  # (N, K, P)
    torch.testing.assert_close(torch.cat(blocks), whole.permute(2, 1, 0).flatten(0, 1))
    kept = torch.tensor([0, 3, net.weights - 1])
    few = torch.cat(list(gradient_blocks(net, theta, task.x, rows, kept)))
    torch.testing.assert_close(few, torch.cat(blocks)[:, kept])


@pytest.mark.parametrize("net", SIZES, ids=str)
@pytest.mark.parametrize("alpha", [1e-8, 1e-6, 1e-4])
@pytest.mark.parametrize("rows", [4, 64])
def test_recursion_blocks_and_direct_form_agree(net, alpha, rows, backend):
    theta, task = weights_for(net, 1)[0], task_for(net, 60)
    reference = recursive_inverse(output_gradients(net, theta[None], task.x)[0], alpha)
    blocks = gradient_blocks(net, theta, task.x, rows)
    blocked = blocked_inverse(blocks, net.weights, len(task), alpha, F64)
    hessian = gram(gradient_blocks(net, theta, task.x, rows), net.weights, len(task))
    direct = direct_inverse(hessian, alpha)
    # cond(H + alpha I) reaches 1/alpha: agreement is to that many digits fewer
    tolerance = float(reference.abs().max()) * 1e-15 / alpha
    torch.testing.assert_close(blocked, reference, atol=tolerance, rtol=1e-7)
    torch.testing.assert_close(direct, reference, atol=tolerance, rtol=1e-7)


def test_single_precision_with_double_sums_is_good_at_the_papers_largest_alpha():
    net = SIZES[1]
    theta, task = weights_for(net, 1)[0], task_for(net, 200)
    exact = gram(gradient_blocks(net, theta, task.x), net.weights, len(task))
    rounded = (block.to(F32) for block in gradient_blocks(net, theta, task.x, 30))
    mixed = gram(rounded, net.weights, len(task))
    assert mixed.dtype == F64
    assert 0 < float((mixed - exact).abs().max() / exact.abs().max()) < 1e-6
    inverse, exact_inverse = direct_inverse(mixed, 1e-4), direct_inverse(exact, 1e-4)
    assert float((inverse - exact_inverse).norm() / exact_inverse.norm()) < 1e-3


@pytest.mark.parametrize("net", [Mlp((12, 5, 3), "logistic", "logistic"), Mlp((9, 4, 1))], ids=str)
def test_sparse_inputs_give_the_same_gauss_newton_matrix(net):
    theta, x = weights_for(net, 1)[0], sparse_x(40, net.sizes[0])
    whole = gauss_newton(output_gradients(net, theta[None], x))[0]
    torch.testing.assert_close(sparse_gauss_newton(net, theta, x, active_pairs(x)), whole)
    for kept in (
        torch.arange(0, net.weights, 3),
        torch.arange(5),
        torch.arange(net.weights - 8, net.weights),
    ):
        part = sparse_gauss_newton(net, theta, x, active_pairs(x), kept)
        torch.testing.assert_close(part, whole[kept][:, kept])
    single = sparse_gauss_newton(net, theta, x, active_pairs(x), dtype=F32)
    assert single.dtype == F32
    torch.testing.assert_close(single.to(F64), whole, rtol=1e-6, atol=1e-7)


def test_sparse_inputs_in_several_chunks(monkeypatch):
    from oldschool.curvature import sparse_inputs

    net = Mlp((6, 3, 2))
    theta, x = weights_for(net, 1)[0], sparse_x(30, 6)
    monkeypatch.setattr(sparse_inputs, "_CHUNK", 25)
    whole = gauss_newton(output_gradients(net, theta[None], x))[0]
    torch.testing.assert_close(sparse_gauss_newton(net, theta, x, active_pairs(x)), whole)


def test_sparse_inputs_need_one_hidden_layer():
    net = Mlp((2, 2, 2, 1))
    x = sparse_x(3, 2)
    with pytest.raises(ValueError, match="one hidden layer"):
        sparse_gauss_newton(net, weights_for(net, 1)[0], x, active_pairs(x))


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
def test_product_is_that_with_the_matrix(net):
    theta, task = weights_for(net, 1)[0], task_for(net)
    matrix = gauss_newton(output_gradients(net, theta[None], task.x))[0]
    vector = torch.randn(net.weights, generator=generator(2), dtype=F64)
    torch.testing.assert_close(gauss_newton_product(net, theta, task.x, vector), matrix @ vector)


def test_gram_and_sparse_form_are_those_of_curvlinops():
    curvlinops = pytest.importorskip("curvlinops")
    net = Mlp((12, 5, 3), "tanh", "linear")
    theta, x = weights_for(net, 1), sparse_x(30, 12)
    t = torch.rand(30, 3, generator=generator(3), dtype=F64)
    module = as_module(net, theta[0])
    operator = curvlinops.GGNLinearOperator(
        module, torch.nn.MSELoss(reduction="sum"), list(module.parameters()), [(x, t)]
    )
    theirs = torch.as_tensor(operator @ torch.eye(net.weights, dtype=F64)) / (2 * len(x))
    torch.testing.assert_close(gram(gradient_blocks(net, theta[0], x), net.weights, 30), theirs)
    torch.testing.assert_close(sparse_gauss_newton(net, theta[0], x, active_pairs(x)), theirs)


@pytest.mark.parametrize("buffer", [1, 3, 100])
@pytest.mark.parametrize("dtype", [F64, F32])
def test_lazy_downdates_are_rank_1_downdates_and_inverses_of_what_is_left(buffer, dtype, backend):
    matrix = positive(40)
    reference = torch.linalg.inv(matrix).contiguous()
    lazy = ShrinkingInverse(reference.to(dtype).clone(), buffer)
    tolerance = 1e-10 if dtype == F64 else 1e-4
    left = list(range(40))
    for gone in torch.randperm(40, generator=generator(4)).tolist()[:37]:
        column = lazy.column(gone)
        torch.testing.assert_close(column, reference[:, gone], rtol=tolerance, atol=tolerance)
        lazy.delete(gone, column)
        reference = downdate(reference, gone)
        left.remove(gone)
        assert lazy.alive.nonzero()[:, 0].tolist() == left
        recomputed = torch.linalg.inv(matrix[left][:, left])
        torch.testing.assert_close(
            lazy.diagonal[left], recomputed.diagonal(), rtol=tolerance, atol=tolerance
        )
        vector = torch.randn(40, generator=generator(5), dtype=F64)
        torch.testing.assert_close(
            lazy.times(vector)[left], recomputed @ vector[left], rtol=tolerance, atol=tolerance
        )


def test_a_shrinking_inverse_needs_its_memory_in_one_piece():
    with pytest.raises(ValueError, match="contiguous"):
        ShrinkingInverse(torch.rand(3, 4, dtype=F64)[:, :3])


def test_memory_is_told_beforehand(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda device: 1_000_000_000)
    require_memory("the inverse Hessian", 10_000, F64)
    with pytest.raises(
        DoesNotFitError, match=r"18426 weights takes 2\.7 GB in float64 \(in float32: 1\.4 GB\)"
    ):
        require_memory("the inverse Hessian", 18_426, F64)
    with pytest.raises(DoesNotFitError, match="GB are free"):
        blocked_inverse([], 18_426, 1, 1e-4, F64)
    x = torch.zeros(1, 20_000, dtype=F64)
    with pytest.raises(DoesNotFitError):
        gram([x], 20_000, 1)
    net, x = Mlp((203, 80, 26), "logistic", "logistic"), torch.zeros(1, 203, dtype=F64)
    told = r"18426 weights takes 3\.0 GB in float64 \(in float32: 1\.7 GB\)"  # with its blocks
    with pytest.raises(DoesNotFitError, match=told):
        sparse_gauss_newton(net, weights_for(net, 1)[0], x, active_pairs(x))


def test_free_memory_is_a_sensible_number_of_bytes():
    free = free_memory(torch.device("cpu"))
    assert free is None or 1e6 < free < 1e15


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\nfile 200\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert free_memory(torch.device("cpu")) == 500


@pytest.mark.parametrize("alpha", [0.0, -1.0])
def test_alpha_must_be_positive(alpha):
    with pytest.raises(ValueError, match="alpha must be positive"):
        blocked_inverse([], 3, 1, alpha, F64)
    with pytest.raises(ValueError, match="alpha must be positive"):
        direct_inverse(torch.eye(3, dtype=F64), alpha)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_gives_the_same_inverse():
    net = SIZES[1]
    theta, task = weights_for(net, 1)[0], task_for(net, 60)
    blocks = [block.cuda() for block in gradient_blocks(net, theta, task.x)]
    here = [block.cpu() for block in blocks]
    for form in (
        lambda b: blocked_inverse(b, net.weights, 60, 1e-4, F64),
        lambda b: direct_inverse(gram(b, net.weights, 60), 1e-4),
    ):
        torch.testing.assert_close(form(blocks).cpu(), form(here))
